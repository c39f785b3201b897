//! What happens to events with several definitions, besides what happens to all events.

use serde::{Deserialize, Serialize};

use super::subscription::Subscription;
use crate::{engine::subscriber::Subscriber, model::event_definition::EventRef};

/// One thing that happened to an event with several definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MultipleRecord {
    /// One of the definitions that have to come together has come: it is not waited for any more.
    #[serde(rename = "came")]
    Came {
        /// Who waited.
        by: Subscriber,
        /// For which.
        event: EventRef,
        /// What is waited for when all have come; `None` when it never comes again.
        again: Option<Subscription>,
    },
    /// One of several definitions has come: the others are not waited for any more.
    #[serde(rename = "withdrawn")]
    Withdrawn {
        /// Who waited.
        by: Subscriber,
        /// For which.
        events: Vec<EventRef>,
    },
    /// All of the definitions that have to come together have come: they are waited for again.
    #[serde(rename = "again")]
    Again {
        /// A waiting element.
        by: Subscriber,
        /// For what.
        subscriptions: Vec<(EventRef, Subscription)>,
    },
}
