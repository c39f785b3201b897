//! The record batch: the records of one command, with its sender.

use serde::{Deserialize, Serialize};

use super::{Record, created::CommandTag};
use crate::{engine::trace::TraceContext, model::ids::Time};

/// The records of one applied command, numbered densely from `first_seq`; the row itself takes the
/// number after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordBatch {
    /// Number of the first record.
    pub first_seq: u64,
    /// Process time of the command.
    pub time: Time,
    /// The command's identity, when it had one that deduplicates.
    pub command: Option<CommandTag>,
    /// Who gave it; `None` for timers and peers.
    pub by: Option<String>,
    /// Payload paths that were not persisted, for the answer.
    pub ignored: Vec<String>,
    /// In order.
    pub records: Vec<Record>,
    /// The trace the command belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

impl RecordBatch {
    /// The number this row ends with; its progress carries it.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64
    }

    /// The records with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &Record)> {
        (self.first_seq..).zip(&self.records)
    }
}
