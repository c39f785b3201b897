//! The notes and deliveries between an instance and the entities of messages and signals.
//!
//! A message goes to an element that waits for its name and correlation key, a signal to all
//! elements that wait for its name. For each name (and key) an entity of its own knows the waiting
//! elements (`runtime::correlations`): an instance notifies it of the subscriptions of its elements
//! and of what they have taken, and the entity delivers what is published.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{subscriber::Subscriber, trace::TraceContext};
use crate::model::{
    event_definition::EventRef,
    ids::{InstanceKey, Time},
};

/// A message with its key, or a signal: the object of subscriptions and publications.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Correlation {
    /// A message.
    #[serde(rename = "message")]
    Message {
        /// Its name.
        name: Arc<str>,
        /// Its correlation key; the absence of a key counts as a key.
        key: Option<Arc<str>>,
    },
    /// A signal.
    #[serde(rename = "signal")]
    Signal {
        /// Its name.
        name: Arc<str>,
    },
}

impl Correlation {
    /// The name of the message or signal.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Message { name, .. } | Self::Signal { name } => name,
        }
    }

    /// The correlation key of a message.
    pub fn key(&self) -> Option<&Arc<str>> {
        match self {
            Self::Message { key, .. } => key.as_ref(),
            Self::Signal { .. } => None,
        }
    }
}

/// A note of an instance to a [`Correlation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CorrelationNote {
    /// A subscription was opened.
    #[serde(rename = "opened")]
    Opened {
        /// The subscriber.
        by: Subscriber,
        /// Which definition of the event.
        event: EventRef,
        /// The id of the process: a message goes to one subscriber per process.
        process: Arc<str>,
        /// The business key of the instance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_key: Option<Arc<str>>,
    },
    /// A delivery was taken, or a subscription closed.
    #[serde(rename = "settled")]
    Settled {
        /// The subscriber.
        by: Subscriber,
        /// Which definition of the event.
        event: EventRef,
        /// Number of the delivery it took; `None` when it took none.
        taken: Option<u64>,
        /// Whether the subscription remains open.
        stays_open: bool,
    },
    /// A message or signal is thrown.
    #[serde(rename = "published")]
    Published {
        /// Its data; an object.
        data: Value,
        /// Until when it is kept for later subscribers.
        until: Option<Time>,
        /// The business key of instances that it starts.
        #[serde(default)]
        business_key: Option<Arc<str>>,
    },
    /// The instance started by the message has ended.
    #[serde(rename = "ended")]
    Ended,
    /// The instance that the message should start is not started.
    #[serde(rename = "notStarted")]
    NotStarted {
        /// The instance that took the message instead.
        joined: Option<InstanceKey>,
    },
}

/// A message behind a parallel event-based gateway that should start an instance, on its way to the
/// instance that another message behind that gateway has started.
#[derive(Clone, Debug)]
pub struct JoiningStart {
    /// The instance it should start: it joins once.
    pub instance: InstanceKey,
    /// The message.
    pub correlation: Correlation,
    /// Which definition of which event behind the gateway.
    pub event: EventRef,
    /// Number of the delivery.
    pub number: u64,
    /// Its data; an object.
    pub data: Arc<Value>,
    /// The business key that it gives to the instance: one with another key does not take it.
    pub business_key: Option<String>,
}

/// A message or signal on its way to a subscriber.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDelivery {
    /// The subscriber.
    pub by: Subscriber,
    /// Which definition of the event.
    pub event: EventRef,
    /// Grows with each delivery to the same subscription: a repeated delivery is taken once.
    pub number: u64,
    /// Its data; an object, shared by all receivers.
    pub data: Arc<Value>,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

/// A thrown signal, for subscribers within the instance.
#[derive(Clone, Debug)]
pub struct ThrownSignal {
    /// Its name.
    pub name: Arc<str>,
    /// Its data; an object.
    pub data: Value,
}
