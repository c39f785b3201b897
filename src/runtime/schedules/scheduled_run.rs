//! Which times are being kept right now, and whose turn it is. Only while the server runs: a start
//! that a crash cuts off is found again by its key.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{journal::ScheduleKey, model::ids::Time, runtime::definitions::DeployedProcess};

/// A time to keep.
pub(super) struct ScheduledRun {
    /// Which schedule.
    pub key: ScheduleKey,
    /// For which time.
    pub due: Time,
    /// The time the row held when this was taken; none for what is due at no time of the schedule.
    pub planned: Option<Time>,
    /// The version to start.
    pub process: Arc<DeployedProcess>,
}

/// What is under way.
#[derive(Default)]
pub(super) struct Underway {
    /// Schedules of which a due time is being kept: the next one is due when that is done.
    pub firing: BTreeSet<ScheduleKey>,
    /// Of schedules that start something: what does not overlap sees what was started before it.
    turns: BTreeMap<ScheduleKey, Arc<Mutex<()>>>,
}

impl Underway {
    /// The turn of a schedule, to be taken, and given back with [`Self::end_turn`].
    pub fn turn(&mut self, key: &ScheduleKey) -> Arc<Mutex<()>> {
        self.turns.entry(key.clone()).or_default().clone()
    }

    /// Gives a turn back, and forgets it when nobody waits for it.
    pub fn end_turn(&mut self, key: &ScheduleKey, turn: OwnedMutexGuard<()>) {
        drop(turn);
        if self
            .turns
            .get(key)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            self.turns.remove(key);
        }
    }
}
