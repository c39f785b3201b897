//! Schedules: the start events that start their process by themselves, at their times or with the server.
//!
//! A schedule is a durable row that exists as long as the standing version of its process has the start event. A due time becomes
//! an instance whose key is derived from it, and only then is the next time written: a crash in between neither loses nor
//! doubles one. The order of the table is kept by handing writes over while the schedules are locked; what is told of one is
//! durable, and a time is kept only once its row is.
//!
//! Where to go next: `known` for what is remembered of each, `following` for what becomes of them when a definition changes,
//! `missed` for times that passed meanwhile, `firing` for the starts. Not here: which times there are (`model::occurrences`).

mod firing;
mod following;
mod known;
mod missed;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::{
    sync::{Notify, Semaphore, oneshot},
    task::AbortHandle,
};

pub use following::Standing;
use known::Known;

use super::{ask::Refusal, clock::Clock, definitions::DeployedProcess};
use crate::{
    engine::{Rejection, rejection::RejectionKind},
    journal::{Journal, Release, ScheduleChange, ScheduleKey, ScheduleRow, Slot},
    limits,
    model::{executable::ExecutableSchedule, ids::Time},
};

/// The schedules.
pub struct Schedules {
    known: Mutex<Known>,
    changed: Notify,
    firing: Arc<Semaphore>,
    task: OnceLock<AbortHandle>,
    journal: Journal,
    clock: Clock,
}

/// A schedule as it is told: what is durable of it, and the version that says when.
#[derive(Clone)]
pub struct Told {
    /// Where it stands.
    pub row: ScheduleRow,
    /// The standing version of its process, published or disabled.
    pub process: Arc<DeployedProcess>,
}

impl Told {
    /// What is due when.
    pub fn schedule(&self) -> Option<&ExecutableSchedule> {
        self.process.executable.node(&self.row.key.node)?.schedule.as_ref()
    }

    /// When it starts something next by itself, if it does.
    pub fn next_run(&self) -> Option<Time> {
        self.row.next_due.filter(|_| self.row.enabled && known::is_published(&self.process))
    }
}

impl Schedules {
    /// The schedules a store holds. They start nothing before the server has begun them.
    pub fn load(journal: Journal, clock: Clock, rows: Vec<ScheduleRow>) -> Arc<Self> {
        Arc::new(Self {
            known: Mutex::new(Known::of(rows)),
            changed: Notify::new(),
            firing: Arc::new(Semaphore::new(limits::SCHEDULES_AT_ONCE)),
            task: OnceLock::new(),
            journal,
            clock,
        })
    }

    /// The schedules of a tenant, or of one process of it, by process and node.
    pub fn list(&self, tenant: &str, process: Option<&str>) -> Vec<Told> {
        let wanted = |key: &ScheduleKey| key.tenant == tenant && process.is_none_or(|process| key.process == process);
        self.lock().told(wanted).collect()
    }

    /// One schedule.
    ///
    /// # Errors
    /// [`RejectionKind::NotFound`].
    pub fn get(&self, key: &ScheduleKey) -> Result<Told, Refusal> {
        self.lock().told_of(key).ok_or_else(|| unknown(key))
    }

    /// Lets a schedule start nothing by itself, or start again: then what was missed meanwhile is made up for by its rule. One that
    /// stands so already stays so.
    ///
    /// # Errors
    /// [`RejectionKind::NotFound`]; [`Refusal::Busy`].
    pub async fn switch(self: &Arc<Self>, key: &ScheduleKey, enabled: bool) -> Result<Told, Refusal> {
        let slot = self.journal.reserve()?;
        let now = self.clock.now();
        let written = self.change(key, slot, |entry| {
            if enabled && !entry.row.enabled {
                entry.catch_up(now);
            }
            entry.row.enabled = enabled;
        });
        // Dropped unsent only when the server stops.
        written.ok_or_else(|| unknown(key))?.await.map_err(|_| Refusal::Busy)?;
        self.get(key)
    }

    /// Whether something is due at `now`.
    pub fn are_due(&self, now: Time) -> bool {
        self.lock().next_due().is_some_and(|due| due <= now)
    }

    /// No schedule starts anything any more.
    pub fn stop(&self) {
        self.task.get().into_iter().for_each(AbortHandle::abort);
    }

    /// Changes a schedule and hands its row over to be written; the answer comes when it is durable. `None` when there is none.
    fn change(
        self: &Arc<Self>,
        key: &ScheduleKey,
        slot: Slot,
        change: impl FnOnce(&mut known::Entry),
    ) -> Option<oneshot::Receiver<()>> {
        let mut known = self.lock();
        change(known.entry(key)?);
        let changes: Vec<ScheduleChange> = known.stamp(key).into_iter().collect();
        let (durable, wait) = oneshot::channel();
        let settled = self.settled(&changes, &known);
        slot.schedules(
            changes,
            Box::new(move || {
                settled();
                // Nobody waits when the request was cut off.
                let _ = durable.send(());
            }),
        );
        Some(wait)
    }

    /// What is to be done once these changes are durable.
    fn settled(self: &Arc<Self>, changes: &[ScheduleChange], known: &Known) -> Release {
        let stamped: Vec<_> = changes.iter().filter_map(|change| known.stamped(change)).collect();
        let schedules = self.clone();
        Box::new(move || {
            let mut known = schedules.lock();
            stamped.into_iter().for_each(|stamped| known.settle(stamped));
            drop(known);
            schedules.changed.notify_one();
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // A panic while it is held leaves an entry as it was or as it is to be.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(key: &ScheduleKey) -> Refusal {
    let sentence = format!(
        "expected a schedule of a published process, but '{}' has none at '{}': see GET /v1/schedules",
        key.process, key.node
    );
    Rejection::new(RejectionKind::NotFound, sentence).into()
}
