//! What records say of subscriptions: who waits, and for what.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::ids::{ElementKey, Time};

/// Who waits for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subscriber {
    /// An element: for its own event, those of its boundary events, or, as an event-based gateway,
    /// those behind it.
    #[serde(rename = "e")]
    Element(ElementKey),
    /// A scope, for the start events of the event subprocesses in it: an element of an embedded
    /// subprocess, `None` for the instance.
    #[serde(rename = "s")]
    Scope(Option<ElementKey>),
}

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
}

impl Subscription {
    /// When it comes next, if it is a time.
    pub fn due(&self) -> Option<Time> {
        match self {
            Self::Timer { due, .. } => Some(*due),
        }
    }
}
