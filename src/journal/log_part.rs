//! A part of an entity's log, limited by rows and by bytes. Rows that are read for clients are read
//! with it, because a row may have a megabyte.

use super::{Entity, StoreError, StoreReader, StoredRow};
use crate::limits;

/// How much of a log is read at once: up to the row that reaches one of these limits.
#[derive(Clone, Copy, Debug)]
pub struct LogLimit {
    /// Rows.
    pub rows: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
}

/// Rows, oldest first.
#[derive(Debug, Default)]
pub struct LogPart {
    /// The rows.
    pub rows: Vec<StoredRow>,
    /// Bytes of their bodies.
    pub bytes: usize,
    /// Whether a limit was reached, so that there may be more.
    pub is_cut: bool,
}

impl LogPart {
    /// The rows with records after `after`: at most `maximum`, and about [`limits::LOG_PART_BYTES`].
    ///
    /// # Errors
    /// If the store fails.
    pub fn read(
        reader: &dyn StoreReader,
        entity: Entity,
        after: u64,
        maximum: usize,
    ) -> Result<Self, StoreError> {
        let limit = LogLimit {
            rows: maximum,
            bytes: limits::LOG_PART_BYTES,
        };
        reader.log_part(entity, after, limit)
    }

    /// Adds as many of these rows as the limit allows.
    pub(super) fn take(&mut self, limit: LogLimit, rows: impl IntoIterator<Item = StoredRow>) {
        let mut rows = rows.into_iter();
        while !self.is_full(limit)
            && let Some(row) = rows.next()
        {
            self.bytes += row.row.body.len();
            self.rows.push(row);
        }
    }

    /// Whether the limit is reached; remembers it.
    pub(super) fn is_full(&mut self, limit: LogLimit) -> bool {
        self.is_cut = self.rows.len() >= limit.rows || self.bytes >= limit.bytes;
        self.is_cut
    }

    /// Whether it includes this record, or everything the log has before it.
    pub fn reaches(&self, seq: u64) -> bool {
        !self.is_cut
            || self
                .rows
                .last()
                .is_some_and(|last| last.row.last_seq >= seq)
    }
}
