//! An instance at an earlier moment: its rows up to a number, folded without its actor.
//!
//! A moment is the end of a row, because nobody sees an instance between the records of a row. Not
//! here: reading the rows (`journal::snapshot`), who may read (`web`).

use std::sync::Arc;

use super::{
    decide,
    definitions::DeployedProcess,
    instance_request::Observed,
    turn_gate::{Turn, TurnGate},
};
use crate::{
    journal::{StoreError, snapshot::Past},
    limits::{self, Taker},
    model::ids::Time,
};

/// Places to fold a log, which takes processor time: only a few at once, and callers take turns;
/// the server is one of them (`None`).
pub struct Folds(TurnGate<Option<Taker>>);

impl Default for Folds {
    fn default() -> Self {
        Self(TurnGate::new(limits::PAST_FOLDS))
    }
}

impl Folds {
    /// Waits for a place.
    pub async fn turn(&self, of: Option<Taker>) -> Turn<Option<Taker>> {
        self.0.turn(of).await
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
