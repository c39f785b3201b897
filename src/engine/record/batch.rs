//! A record batch: the records of one command, with its sender.

use serde::{Deserialize, Serialize};

use super::{Record, created::CommandTag};
use crate::{engine::trace::TraceContext, model::ids::Time};

/// The records of one applied command, numbered without gaps from `first_seq`. The row itself takes
/// the number after the last record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordBatch {
    /// Number of the first record.
    pub first_seq: u64,
    /// Process time at which the command was applied.
    pub time: Time,
    /// The id of the command, when it had one by which it deduplicates.
    pub command: Option<CommandTag>,
    /// The subject that sent it; `None` for timers and other instances.
    pub by: Option<String>,
    /// Paths of the payload that were not stored, reported in the reply.
    pub ignored: Vec<String>,
    /// The records, in order.
    pub records: Vec<Record>,
    /// The trace of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

impl RecordBatch {
    /// The number of the row itself, which its progress carries.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64
    }

    /// The records with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &Record)> {
        (self.first_seq..).zip(&self.records)
    }
}
