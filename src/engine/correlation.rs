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

/// A message with its key, or a signal: what is waited for, and what is published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Correlation {
    /// A message.
    #[serde(rename = "message")]
    Message {
        /// Its name.
        name: Arc<str>,
        /// Its correlation key; none is a key as well.
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

/// What an instance tells a [`Correlation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CorrelationNote {
    /// Somebody waits.
    #[serde(rename = "opened")]
    Opened {
        /// Who.
        by: Subscriber,
        /// Which definition of the event.
        event: EventRef,
        /// The id of the process: one message goes to one of those that wait in its instances.
        process: Arc<str>,
    },
    /// Somebody took what was delivered, or waits no more.
    #[serde(rename = "settled")]
    Settled {
        /// Who.
        by: Subscriber,
        /// Which definition of the event.
        event: EventRef,
        /// Number of the delivery it took; `None` when it took none.
        taken: Option<u64>,
        /// Whether it continues waiting.
        stays_open: bool,
    },
    /// A message or signal is thrown.
    #[serde(rename = "published")]
    Published {
        /// What it takes along; an object.
        data: Value,
        /// Until when it is kept for those who do not wait yet.
        until: Option<Time>,
    },
    /// The instance that the message has started ended.
    #[serde(rename = "ended")]
    Ended,
    /// The instance that the message was to start does not begin.
    #[serde(rename = "notStarted")]
    NotStarted {
        /// The instance that took the message in its stead.
        joined: Option<InstanceKey>,
    },
}

/// A message behind a parallel event-based gateway that was to start an instance, on its way to one
/// that another message behind that gateway has started.
#[derive(Clone, Debug)]
pub struct JoiningStart {
    /// The instance it was to start: it joins once.
    pub instance: InstanceKey,
    /// Which message it is.
    pub correlation: Correlation,
    /// Which definition of which event behind the gateway.
    pub event: EventRef,
    /// Number of the delivery.
    pub number: u64,
    /// What it brings; an object.
    pub data: Arc<Value>,
}

/// A message or signal on its way to who waits for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDelivery {
    /// Who waits for it.
    pub by: Subscriber,
    /// Which definition of the event.
    pub event: EventRef,
    /// Grows with each delivery to the same subscription: one that comes again is taken once.
    pub number: u64,
    /// What it brings; an object. All that get it share it.
    pub data: Arc<Value>,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

/// A signal that is thrown, for those who wait for it in the instance.
#[derive(Clone, Debug)]
pub struct ThrownSignal {
    /// Its name.
    pub name: Arc<str>,
    /// What it brings; an object.
    pub data: Value,
}
