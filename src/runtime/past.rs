//! An instance as it was at an earlier moment: the fold of its rows up to a number, away from its
//! actor.
//!
//! A moment is the end of a row: between its records nobody has seen an instance. Not here: reading
//! the rows (`journal::snapshot`), who may look (`web`).

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{decide, definitions::DeployedProcess, instance_request::Observed};
use crate::{
    journal::{StoreError, snapshot::Past},
    limits,
    model::ids::Time,
};

/// Who may fold a log, which takes processor time: few at once.
pub struct Folds(Semaphore);

impl Default for Folds {
    fn default() -> Self {
        Self(Semaphore::new(limits::PAST_FOLDS))
    }
}

impl Folds {
    /// Waits for its turn.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.acquire().await.ok()
    }
}

/// Folds what was read to how the instance stood; `None` when it had not begun. May take long, so it
/// belongs on a thread for that. `now` decides which messages were open when no row says a time.
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
