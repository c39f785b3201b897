//! Record types about subscriptions: the events that elements and scopes wait for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{engine::correlation::Correlation, model::ids::Time};

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Subscription {
    /// A time.
    #[serde(rename = "timer")]
    Timer {
        /// When it comes next.
        due: Time,
        /// The text that says when, with its placeholders filled in.
        text: Arc<str>,
    },
    /// A condition.
    #[serde(rename = "condition")]
    Conditional {
        /// Whether it was true when it was looked at last: it has to become false before it comes
        /// again.
        holds: bool,
    },
    /// A message.
    #[serde(rename = "message")]
    Message {
        /// Its name.
        name: Arc<str>,
        /// Its correlation key.
        key: Option<Arc<str>>,
        /// Number of the delivery taken last: that and earlier ones are not taken again.
        taken: u64,
    },
    /// An escalation, as one of several definitions that have to come together: it is found as it
    /// climbs the scopes.
    #[serde(rename = "escalation")]
    Escalation,
    /// A signal.
    #[serde(rename = "signal")]
    Signal {
        /// Its name.
        name: Arc<str>,
        /// See `Message`.
        taken: u64,
    },
}

impl Subscription {
    /// When it comes next, if it is a time.
    pub fn due(&self) -> Option<Time> {
        match self {
            Self::Timer { due, .. } => Some(*due),
            Self::Conditional { .. }
            | Self::Escalation
            | Self::Message { .. }
            | Self::Signal { .. } => None,
        }
    }

    /// Waits for a message or signal of which nothing was delivered yet.
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

    /// Whom it is opened with, besides who waits; `None` for what the instance sees to alone.
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

    /// Whether a delivery with this number was not taken yet.
    pub fn is_new(&self, delivery: u64) -> bool {
        match self {
            Self::Timer { .. } | Self::Conditional { .. } | Self::Escalation => false,
            Self::Message { taken, .. } | Self::Signal { taken, .. } => delivery > *taken,
        }
    }

    /// The same once a delivery was taken; 0 for what came without a number.
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
