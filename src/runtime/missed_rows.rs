//! Rows that followers of an instance have missed: read once for all followers that reconnect at
//! the same time.
//!
//! Not here: the frames that a follower receives for them (`session`).

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{channel::SharedFrame, instance_request::Observed};
use crate::{
    engine::RecordBatch,
    journal::{Entity, Journal, LogPart, StoreError, StoreReader, StoredRow, codec},
    limits,
};

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
    /// The rows after `cursor`, if another follower has read them and they reach back far enough.
    pub fn known(&self, cursor: u64) -> Option<Arc<Missed>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|known| known.after <= cursor)
    }

    /// Keeps the rows after `cursor` for others.
    pub fn keep(&self, cursor: u64, rows: Vec<RecordBatch>) -> Arc<Missed> {
        let missed = Arc::new(Missed {
            after: cursor,
            rows,
            frames: OnceLock::new(),
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(missed.clone());
        missed
    }
}

/// Reads the rows after `cursor`, up to an observation; `done` receives them on a reader thread, and
/// `None` when there are too many.
pub fn read_then(
    journal: &Journal,
    observed: Arc<Observed>,
    cursor: u64,
    done: impl FnOnce(Result<Option<Arc<Missed>>, StoreError>) + Send + 'static,
) {
    journal.read_then(
        move |reader| {
            if let Some(known) = observed.missed.known(cursor) {
                return Ok(Some(known));
            }
            let Some(part) = part(reader, &observed, cursor)? else {
                return Ok(None);
            };
            let rows = decoded(&part.rows)?;
            Ok(Some(observed.missed.keep(cursor, rows)))
        },
        done,
    );
}

/// The stored rows; `None` when there are too many.
fn part(
    reader: &dyn StoreReader,
    observed: &Observed,
    cursor: u64,
) -> Result<Option<LogPart>, StoreError> {
    let maximum = limits::REPLAY_FRAMES;
    let entity = Entity::from(observed.head().key);
    let mut part = LogPart::read(reader, entity, cursor, maximum + 1)?;
    let reaches = part.reaches(observed.seq);
    // Later rows come through the channel.
    part.rows
        .retain(|stored| stored.row.last_seq <= observed.seq);
    Ok((reaches && part.rows.len() <= maximum).then_some(part))
}

fn decoded(stored: &[StoredRow]) -> Result<Vec<RecordBatch>, StoreError> {
    stored
        .iter()
        .map(|stored| codec::decode(&stored.row.body))
        .collect()
}
