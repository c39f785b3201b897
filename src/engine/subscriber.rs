//! Who waits for events. Not here: for what (`record::Subscription`).

use serde::{Deserialize, Serialize};

use crate::model::ids::ElementKey;

/// Who waits for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

impl Subscriber {
    /// The element that waits, or that is the scope that does; `None` for the instance.
    pub fn element(self) -> Option<ElementKey> {
        match self {
            Self::Element(element) => Some(element),
            Self::Scope(scope) => scope,
        }
    }
}
