//! The stored form of the entity of a message or signal: the records of each command, in a row.
//!
//! Their effect: [`state`](super::state).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    engine::{
        record::{CommandTag, Subscriber},
        trace::TraceContext,
    },
    model::{
        event_definition::EventRef,
        ids::{InstanceKey, Time},
    },
};

/// A waiting element, in an instance or at a process's start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WaitingElement {
    /// The instance.
    pub instance: InstanceKey,
    /// The subscriber there.
    pub by: Subscriber,
    /// The event definition.
    pub event: EventRef,
}

/// The records of one command. The row itself takes the number after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrelationRow {
    /// Number of the first record.
    pub first_seq: u64,
    /// In order.
    pub records: Vec<CorrelationRecord>,
}

impl CorrelationRow {
    /// The number this row ends with.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CorrelationRecord {
    /// An element waits; this record's number is the subscription's.
    #[serde(rename = "opened")]
    Opened {
        /// The element.
        place: WaitingElement,
        /// The id of its process.
        process: Arc<str>,
        /// The business key of its instance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_key: Option<Arc<str>>,
    },
    /// A publication; this record's number is the publication's.
    #[serde(rename = "published")]
    Published {
        /// The command, or its replacement when an instance published.
        tag: CommandTag,
        /// The data.
        data: Arc<Value>,
        /// Until when it is kept for elements that do not wait yet.
        until: Option<Time>,
        /// For a signal: the number of elements that wait for it.
        receivers: Option<u64>,
        /// The instance that throws the signal: elements that wait there have received it already.
        thrown_by: Option<InstanceKey>,
        /// The trace it belongs to.
        #[serde(default)]
        trace: Option<TraceContext>,
        /// The business key of instances that it starts; a message goes only to instances with it.
        #[serde(default)]
        business_key: Option<Arc<str>>,
    },
    /// A delivery to a waiting element; this record's number is the delivery's.
    #[serde(rename = "delivered")]
    Delivered {
        /// The number of the publication.
        publication: u64,
        /// The number of the subscription.
        subscription: u64,
    },
    /// The publication started an instance.
    #[serde(rename = "started")]
    Started {
        /// The number of the publication.
        publication: u64,
        /// The id of its process.
        process: Arc<str>,
        /// The instance.
        instance: InstanceKey,
        /// Whether it is remembered while it is live: no other publication with the same key starts
        /// an instance of the process meanwhile, and those behind the same parallel gateway join
        /// it.
        alone: bool,
    },
    /// The start was offered to an instance that may take the publication instead.
    #[serde(rename = "offered")]
    Offered {
        /// The id of its process.
        process: Arc<str>,
        /// The instance.
        instance: InstanceKey,
        /// That instance.
        to: InstanceKey,
    },
    /// A started instance does not begin.
    #[serde(rename = "notStarted")]
    NotStarted {
        /// The instance.
        instance: InstanceKey,
        /// The instance that took the publication instead.
        joined: Option<InstanceKey>,
    },
    /// A delivery was taken or not, or an element no longer waits.
    #[serde(rename = "settled")]
    Settled {
        /// The number of the subscription.
        subscription: u64,
        /// The number of the delivery that was taken, if one was.
        taken: Option<u64>,
        /// Whether the element still waits; if not, no other delivery to it is taken.
        stays_open: bool,
    },
    /// The instance that was remembered because no other may be live has ended.
    #[serde(rename = "ended")]
    Ended {
        /// The id of its process.
        process: Arc<str>,
    },
    /// A broadcast was delivered to some, and continues with others.
    #[serde(rename = "goesOn")]
    GoesOn {
        /// The number of the publication.
        publication: u64,
    },
    /// A publication is done.
    #[serde(rename = "done")]
    Done {
        /// Its number.
        publication: u64,
    },
}
