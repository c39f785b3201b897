//! An instance at an earlier moment: its rows up to a number, folded without its actor.
//!
//! A moment is the end of a row, because nobody sees an instance between the records of a row. Not
//! here: reading the rows (`journal::snapshot`), who may read (`web`).

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{decide, definitions::DeployedProcess, instance_request::Observed};
use crate::{
    journal::{StoreError, snapshot::Past},
    limits,
    model::ids::Time,
};

/// Permits to fold a log, which takes processor time: only a few at once.
pub struct Folds(Semaphore);

impl Default for Folds {
    fn default() -> Self {
        Self(Semaphore::new(limits::PAST_FOLDS))
    }
}

impl Folds {
    /// Waits for a permit.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.0.acquire().await.ok()
    }
}

/// Folds rows into an observation of the instance; `None` when it had not begun. May take long, so
/// call it on a thread for that. `now` decides which messages were open when no row has a time.
///
/// # Errors
/// [`StoreError::Unreadable`] with the row that is damaged or missing.
pub fn observe(
    past: Past,
    process: &Arc<DeployedProcess>,
    now: Time,
) -> Result<Option<Observed>, StoreError> {
    let folded = past.fold()?;
    Ok(folded.map(|(state, time)| decide::observe(&state, process, true, time.unwrap_or(now))))
}
