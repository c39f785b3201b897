//! What is stored of the entity of a message or signal: the records of each command, in a row.
//!
//! What they lead to: [`state`](super::state).

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
pub struct Place {
    /// The instance.
    pub instance: InstanceKey,
    /// Who waits there.
    pub by: Subscriber,
    /// Which definition of which event.
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

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CorrelationRecord {
    /// Somebody waits; this record's number is the subscription's.
    #[serde(rename = "opened")]
    Opened {
        /// Who.
        place: Place,
        /// The id of its process.
        process: Arc<str>,
    },
    /// Something was published; this record's number is the publication's.
    #[serde(rename = "published")]
    Published {
        /// The command, or what stands for it when an instance published.
        tag: CommandTag,
        /// What it brings.
        data: Arc<Value>,
        /// Until when it is kept for those who do not wait yet.
        until: Option<Time>,
        /// Of a signal: how many wait for it.
        receivers: Option<u64>,
        /// The instance that throws the signal: what waits there has it already.
        thrown_by: Option<InstanceKey>,
        /// The trace it belongs to.
        #[serde(default)]
        trace: Option<TraceContext>,
    },
    /// It went to somebody who waits; this record's number is the delivery's.
    #[serde(rename = "delivered")]
    Delivered {
        /// Number of what was published.
        publication: u64,
        /// Number of the subscription.
        subscription: u64,
    },
    /// It started an instance.
    #[serde(rename = "started")]
    Started {
        /// Number of what was published.
        publication: u64,
        /// The id of its process.
        process: Arc<str>,
        /// The instance.
        instance: InstanceKey,
        /// Whether it is remembered while it is live: with a key no other of the process starts,
        /// and what comes behind the same parallel gateway joins it.
        alone: bool,
    },
    /// What was started was offered to an instance that may take it instead.
    #[serde(rename = "offered")]
    Offered {
        /// The id of its process.
        process: Arc<str>,
        /// The instance.
        instance: InstanceKey,
        /// The one that may.
        to: InstanceKey,
    },
    /// What was started does not begin.
    #[serde(rename = "notStarted")]
    NotStarted {
        /// The instance.
        instance: InstanceKey,
        /// The one that took what was published in its stead.
        joined: Option<InstanceKey>,
    },
    /// Somebody took what was delivered, or did not, or waits no more.
    #[serde(rename = "settled")]
    Settled {
        /// Number of the subscription.
        subscription: u64,
        /// Number of the delivery that was taken, if one was.
        taken: Option<u64>,
        /// Whether it continues waiting; when not, no other delivery on its way there is taken.
        stays_open: bool,
    },
    /// The instance that alone could be live has ended.
    #[serde(rename = "ended")]
    Ended {
        /// The id of its process.
        process: Arc<str>,
    },
    /// A broadcast went to some, and continues to more.
    #[serde(rename = "goesOn")]
    GoesOn {
        /// Number of what was published.
        publication: u64,
    },
    /// Nothing remains to be done for what was published.
    #[serde(rename = "done")]
    Done {
        /// Its number.
        publication: u64,
    },
}
