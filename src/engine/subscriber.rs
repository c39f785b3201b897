//! The subscriber to events. `record::Subscription` has the event.

use serde::{Deserialize, Serialize};

use crate::model::ids::ElementKey;

/// An element or scope that waits for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subscriber {
    /// An element: for its own event, those of its boundary events, or, as an event-based gateway,
    /// those behind it.
    #[serde(rename = "e")]
    Element(ElementKey),
    /// A scope, for the start events of its event subprocesses: the element of an embedded
    /// subprocess, or `None` for the instance.
    #[serde(rename = "s")]
    Scope(Option<ElementKey>),
}

impl Subscriber {
    /// The element that waits, or whose scope waits; `None` for the instance.
    pub fn element(self) -> Option<ElementKey> {
        match self {
            Self::Element(element) => Some(element),
            Self::Scope(scope) => scope,
        }
    }
}
