//! A part of an instance's log: so many rows at most, and no more than take so many bytes. Whoever
//! reads rows because a client wants them reads them by this, as a row may take a megabyte.

use super::{Entity, StoreError, StoreReader, StoredRow};
use crate::limits;

/// Rows that are read at once; so many may be beyond the bytes.
const PAGE: usize = 16;

/// Rows, oldest first.
#[derive(Default)]
pub struct LogPart {
    /// The rows.
    pub rows: Vec<StoredRow>,
    /// Whether there may be more.
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
        mut after: u64,
        most: usize,
    ) -> Result<Self, StoreError> {
        let mut part = Self::default();
        let mut left = limits::LOG_PART_BYTES;
        loop {
            let wanted = PAGE.min(most - part.rows.len());
            let page = reader.rows(entity, after, wanted)?;
            let is_last = page.len() < wanted;
            let Some(last) = page.last() else {
                part.is_cut = !is_last;
                return Ok(part);
            };
            after = last.row.last_seq;
            let bytes: usize = page.iter().map(|stored| stored.row.body.len()).sum();
            left = left.saturating_sub(bytes);
            part.rows.extend(page);
            if is_last || left == 0 {
                part.is_cut = !is_last;
                return Ok(part);
            }
        }
    }

    /// The bytes of its rows.
    pub fn bytes(&self) -> usize {
        self.rows.iter().map(|stored| stored.row.body.len()).sum()
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
