//! Which times are being kept right now, and whose turn it is. Only while the server runs: a start
//! that a crash cuts off is found again by its key.

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
    runtime::{catalog::Catalog, definitions::DeployedProcess, turns::Turns},
};

/// Before it is looked again who has become due, while others wait for their turn.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(20);

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

/// What is in progress.
#[derive(Default)]
pub(super) struct Underway {
    /// Schedules of which a due time is being kept: the next one is due when that is done.
    pub firing: BTreeSet<ScheduleKey>,
    /// Those with something due wait for their turn.
    waiting: Turns<String>,
    entered: BTreeSet<Owner>,
    looked: Option<Instant>,
    /// Of schedules that start something: what does not overlap sees what was started before it.
    turns: BTreeMap<ScheduleKey, Arc<Mutex<()>>>,
}

/// Whose turn it is.
pub(super) enum Turn {
    /// The first of the schedules of this process that is due.
    Of(ScheduleKey, Time),
    /// All that have something due have their share in progress.
    Blocked,
    /// Nothing is due.
    Nothing,
}

impl Underway {
    /// Which schedule fires next at `now`. Tenants take turns, and so do the processes of a tenant;
    /// none has more than its share in progress.
    pub fn next(&mut self, catalog: &Catalog, now: Time) -> Turn {
        let mut has_looked = false;
        loop {
            let is_old = |looked: Instant| looked.elapsed() >= LOOK_AGAIN;
            if self.waiting.is_empty() || self.looked.is_none_or(is_old) {
                if has_looked {
                    break;
                }
                self.look(catalog, now);
                has_looked = true;
            }
            let firing = &self.firing;
            let may = |tenant: &str, process: &String| {
                let of_tenant = || firing.iter().filter(|key| key.tenant == tenant);
                let of_process = of_tenant().filter(|key| key.process == *process).count();
                of_tenant().count() < limits::SCHEDULES_PER_TENANT
                    && of_process < limits::SCHEDULES_PER_DEFINITION
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

    /// Lets all wait for their turn that have something due.
    fn look(&mut self, catalog: &Catalog, now: Time) {
        self.looked = Some(Instant::now());
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
