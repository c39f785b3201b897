//! Changes of events with several definitions, besides those of all events.

use serde::{Deserialize, Serialize};

use super::subscription::Subscription;
use crate::{engine::subscriber::Subscriber, model::event_definition::EventRef};

/// One change of an event with several definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MultipleRecord {
    /// One definition of a parallel event occurred; its subscription is closed.
    #[serde(rename = "occurred")]
    Occurred {
        /// The element or scope that has subscribed.
        by: Subscriber,
        /// The definition.
        event: EventRef,
        /// The subscription that is opened again once all definitions have occurred; `None` when it
        /// stays closed.
        again: Option<Subscription>,
    },
    /// One of several definitions occurred; the subscriptions of the others are closed.
    #[serde(rename = "closed")]
    Closed {
        /// The element or scope that has subscribed.
        by: Subscriber,
        /// The definitions whose subscriptions are closed.
        events: Vec<EventRef>,
    },
    /// All definitions of a parallel event occurred; their subscriptions are opened again.
    #[serde(rename = "reopened")]
    Reopened {
        /// The element or scope that has subscribed.
        by: Subscriber,
        /// The subscriptions, by definition.
        subscriptions: Vec<(EventRef, Subscription)>,
    },
}
