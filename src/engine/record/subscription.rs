//! Record types about subscriptions: the events that elements and scopes wait for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{engine::correlation::Correlation, model::ids::Time};

/// An event that an element or scope waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Subscription {
    /// A time.
    #[serde(rename = "timer")]
    Timer {
        /// The time of the next occurrence.
        due: Time,
        /// The text of the timer, with its placeholders filled in.
        text: Arc<str>,
    },
    /// A condition.
    #[serde(rename = "condition")]
    Conditional {
        /// Whether it was true when last evaluated. The event occurs again only after the condition
        /// was false.
        holds: bool,
    },
    /// A message.
    #[serde(rename = "message")]
    Message {
        /// Its name.
        name: Arc<str>,
        /// Its correlation key.
        key: Option<Arc<str>>,
        /// The number of the last delivery received; deliveries up to this number are not received
        /// again.
        taken: u64,
    },
    /// An escalation, as one definition of a parallel event. It is found by the propagation of
    /// escalations, not by a delivery.
    #[serde(rename = "escalation")]
    Escalation,
    /// A signal.
    #[serde(rename = "signal")]
    Signal {
        /// Its name.
        name: Arc<str>,
        /// As in `Message`.
        taken: u64,
    },
}

impl Subscription {
    /// The time of its next occurrence, if it is a timer.
    pub fn due(&self) -> Option<Time> {
        match self {
            Self::Timer { due, .. } => Some(*due),
            Self::Conditional { .. }
            | Self::Escalation
            | Self::Message { .. }
            | Self::Signal { .. } => None,
        }
    }

    /// A subscription to a message or signal of which nothing was delivered yet.
    pub fn to(correlation: Correlation) -> Self {
        match correlation {
            Correlation::Message { name, key } => Self::Message {
                name,
                key,
                taken: 0,
            },
            Correlation::Signal { name } => Self::Signal { name, taken: 0 },
        }
    }

    /// The entity with which it is opened; `None` when the instance itself observes the event.
    pub fn correlation(&self) -> Option<Correlation> {
        match self {
            Self::Timer { .. } | Self::Conditional { .. } | Self::Escalation => None,
            Self::Message { name, key, .. } => Some(Correlation::Message {
                name: name.clone(),
                key: key.clone(),
            }),
            Self::Signal { name, .. } => Some(Correlation::Signal { name: name.clone() }),
        }
    }

    /// Whether a delivery with this number was not received yet.
    pub fn is_new(&self, delivery: u64) -> bool {
        match self {
            Self::Timer { .. } | Self::Conditional { .. } | Self::Escalation => false,
            Self::Message { taken, .. } | Self::Signal { taken, .. } => delivery > *taken,
        }
    }

    /// This subscription after a delivery was received. The number is 0 for deliveries without a
    /// number.
    pub fn having_taken(&self, delivery: u64) -> Self {
        let mut after = self.clone();
        match &mut after {
            Self::Timer { .. } | Self::Conditional { .. } | Self::Escalation => {}
            Self::Message { taken, .. } | Self::Signal { taken, .. } => {
                *taken = (*taken).max(delivery);
            }
        }
        after
    }
}
