//! The scheduled starts in progress, and whose turn it is. Kept in memory only: a start that a
//! crash cuts off is found again by its key.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    journal::{Owner, ScheduleKey},
    limits,
    model::ids::Time,
    runtime::{catalog::Catalog, definitions::DeployedProcess},
    turns::Turns,
};

/// The pause before due schedules are searched again, while others wait for their turn.
pub(super) const SEARCH_PAUSE: Duration = Duration::from_millis(20);

/// A scheduled start.
pub(super) struct ScheduledRun {
    /// The schedule.
    pub key: ScheduleKey,
    /// The time.
    pub due: Time,
    /// The next time of the row when this was taken; `None` for a start outside of the schedule's
    /// times.
    pub planned: Option<Time>,
    /// The version to start.
    pub process: Arc<DeployedProcess>,
}

/// The starts in progress.
#[derive(Default)]
pub(super) struct StartsInProgress {
    /// Schedules with a start in progress: their next time is due once that has ended.
    pub firing: BTreeSet<ScheduleKey>,
    /// Processes with a due schedule, waiting for their turn.
    waiting: Turns<String>,
    entered: BTreeSet<Owner>,
    searched: Option<Instant>,
    /// Locks of schedules, so that a schedule that does not overlap sees its previous start.
    turns: BTreeMap<ScheduleKey, Arc<Mutex<()>>>,
}

/// Whose turn it is.
pub(super) enum Turn {
    /// The first due schedule of this process.
    Of(ScheduleKey, Time),
    /// Everything that is due has its share of starts in progress.
    Blocked,
    /// Nothing is due.
    Nothing,
}

impl StartsInProgress {
    /// The schedule to start next at `now`. Tenants take turns, and so do the processes of a
    /// tenant; none has more than its share in progress.
    pub fn next(&mut self, catalog: &Catalog, now: Time) -> Turn {
        let mut has_searched = false;
        loop {
            let is_old = |searched: Instant| searched.elapsed() >= SEARCH_PAUSE;
            if self.waiting.is_empty() || self.searched.is_none_or(is_old) {
                if has_searched {
                    break;
                }
                self.find_due(catalog, now);
                has_searched = true;
            }
            let firing = &self.firing;
            let may = |tenant: &String, process: &String| {
                let of_tenant = || firing.iter().filter(|key| key.tenant == *tenant);
                let of_process = of_tenant().filter(|key| key.process == *process).count();
                of_tenant().count() < limits::SCHEDULES_PER_TENANT.get()
                    && of_process < limits::SCHEDULES_PER_DEFINITION.get()
            };
            let Some((tenant, process)) = self.waiting.next(may) else {
                break;
            };
            let owner = Owner { tenant, process };
            self.entered.remove(&owner);
            let first = catalog
                .due_of(&owner.tenant, &owner.process)
                .filter(|(due, key)| *due <= now && !self.firing.contains(*key))
                .min();
            if let Some((due, key)) = first {
                return Turn::Of(key.clone(), due);
            }
        }
        if self.waiting.is_empty() {
            Turn::Nothing
        } else {
            Turn::Blocked
        }
    }

    /// Adds all processes with a due schedule to those that wait for their turn.
    fn find_due(&mut self, catalog: &Catalog, now: Time) {
        self.searched = Some(Instant::now());
        for (_, key) in catalog.due().take_while(|(due, _)| *due <= now) {
            let owner = Owner {
                tenant: key.tenant.clone(),
                process: key.process.clone(),
            };
            if !self.firing.contains(key) && self.entered.insert(owner) {
                self.waiting.enter(&key.tenant, key.process.clone());
            }
        }
    }

    /// The lock of a schedule, to be acquired, and given back with [`Self::end_turn`].
    pub fn turn(&mut self, key: &ScheduleKey) -> Arc<Mutex<()>> {
        self.turns.entry(key.clone()).or_default().clone()
    }

    /// Gives a lock back, and removes it when nobody waits for it.
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
