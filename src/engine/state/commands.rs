//! The command ids that an instance has seen, so that a command sent again gets the first reply and
//! has no second effect.
//!
//! The newest 128 are kept whole, and an 8-byte fingerprint of each of the 10,000 before them. When
//! a fingerprint matches, the log is read to decide (`runtime`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Ring;
use crate::engine::record::{CommandTag, batch::RecordBatch};

const WHOLE: usize = 128;
const FINGERPRINTS: usize = 10_000;

/// The command ids seen by an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Commands {
    recent: Ring<(CommandTag, u64)>,
    older: Ring<u64>,
}

/// What is known about a command id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was never sent by this subject.
    New,
    /// It was applied, with this body hash, in the row that begins with this number.
    Applied {
        /// The hash of the canonical body.
        hash: u64,
        /// The first number of the row.
        first_seq: u64,
    },
    /// It may have been applied long ago; the log decides.
    PerhapsLongAgo,
}

impl Commands {
    /// What is known about this id from this subject.
    pub fn seen(&self, id: Uuid, subject: &str) -> Seen {
        let recent = self
            .recent
            .iter()
            .rev()
            .find(|(tag, _)| tag.id == id && tag.subject == subject);
        match recent {
            Some((tag, first_seq)) => Seen::Applied {
                hash: tag.hash,
                first_seq: *first_seq,
            },
            None if self.older.contains(&fingerprint(id)) => Seen::PerhapsLongAgo,
            None => Seen::New,
        }
    }

    pub(super) fn remember(&mut self, row: &RecordBatch) {
        let Some(tag) = &row.command else { return };
        self.recent.push_back((tag.clone(), row.first_seq));
        if self.recent.len() > WHOLE
            && let Some((oldest, _)) = self.recent.pop_front()
        {
            self.older.push_back(fingerprint(oldest.id));
            if self.older.len() > FINGERPRINTS {
                self.older.pop_front();
            }
        }
    }
}

fn fingerprint(id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    high.rotate_left(17) ^ low
}
