//! A part of an entity's log: so many rows at most, and no more than take so many bytes. Whoever
//! reads rows because a client wants them reads them by this, as a row may take a megabyte.

use super::{Entity, StoreError, StoreReader, StoredRow};
use crate::limits;

/// How much of a log is read at once: it ends with the row that reaches one of these.
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
    /// Whether there may be more, as the limit was reached.
    pub is_cut: bool,
}

impl LogPart {
    /// The rows that hold records after `after`: at most `most`, and about
    /// [`limits::LOG_PART_BYTES`].
    ///
    /// # Errors
    /// When the store fails.
    pub fn read(
        reader: &dyn StoreReader,
        entity: Entity,
        after: u64,
        most: usize,
    ) -> Result<Self, StoreError> {
        let limit = LogLimit {
            rows: most,
            bytes: limits::LOG_PART_BYTES,
        };
        reader.log_part(entity, after, limit)
    }

    /// Takes of these rows as many as the limit leaves room for.
    pub(super) fn take(&mut self, limit: LogLimit, rows: impl IntoIterator<Item = StoredRow>) {
        let mut rows = rows.into_iter();
        while !self.is_full(limit)
            && let Some(row) = rows.next()
        {
            self.bytes += row.row.body.len();
            self.rows.push(row);
        }
    }

    /// Notes whether the limit is reached.
    pub(super) fn is_full(&mut self, limit: LogLimit) -> bool {
        self.is_cut = self.rows.len() >= limit.rows || self.bytes >= limit.bytes;
        self.is_cut
    }

    /// Whether it reaches this record, as far as the log does.
    pub fn reaches(&self, seq: u64) -> bool {
        !self.is_cut
            || self
                .rows
                .last()
                .is_some_and(|last| last.row.last_seq >= seq)
    }
}
