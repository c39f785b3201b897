//! Rows that followers of an instance have missed: read once for all followers that reconnect at
//! the same time.
//!
//! Not here: reading them (`journal`), the frames that a follower receives for them (`session`).

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::channel::SharedFrame;
use crate::engine::RecordBatch;

/// The rows before one observation, as the first reader has read them.
#[derive(Debug, Default)]
pub struct MissedRows(Mutex<Option<Arc<Missed>>>);

/// All rows of an instance after a number, up to an observation.
#[derive(Debug, Default)]
pub struct Missed {
    after: u64,
    /// The rows, oldest first. A later reader may need only the last of them.
    pub rows: Vec<RecordBatch>,
    /// Their frames, rendered by the first connection that needs them.
    pub frames: OnceLock<Vec<SharedFrame>>,
}

impl MissedRows {
    /// The rows after `cursor`: those that another follower has read, if they reach back far
    /// enough, otherwise what `read` returns; `None` when there are too many.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn get_or_read<E>(
        &self,
        cursor: u64,
        read: impl FnOnce() -> Result<Option<Vec<RecordBatch>>, E>,
    ) -> Result<Option<Arc<Missed>>, E> {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known.filter(|known| known.after <= cursor) {
            return Ok(Some(known));
        }
        let Some(rows) = read()? else {
            return Ok(None);
        };
        let missed = Arc::new(Missed {
            after: cursor,
            rows,
            frames: OnceLock::new(),
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(missed.clone());
        Ok(Some(missed))
    }
}
