//! Schedules: start events that start their process without a command, at certain times or when the
//! server starts.
//!
//! A schedule is a durable row that exists as long as the published or disabled version of its
//! process has the start event. At a due time an instance is started whose key is derived from that
//! time, and only then is the next time written, so a crash in between neither loses an instance
//! nor starts one twice. Rows are changed like everything in the `catalog`: durable, then visible.
//! Due times are read from the visible rows, so a time is acted on only once its row is durable.
//!
//! Where to go next: `on_deploy` for the effects of a new version on schedules, `misfire` for times
//! that have passed, `fire` for the starts, `scheduled_run` for the starts in progress. Not here:
//! computing the times (`model::timer_cycle`).

mod fire;
mod misfire;
mod on_deploy;
mod scheduled_run;

#[cfg(test)]
mod tests;

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    sync::{Notify, Semaphore},
    task::AbortHandle,
};

pub use on_deploy::CurrentVersion;
use scheduled_run::{ScheduledRun, StartsInProgress, Turn};

use super::{
    catalog::{Catalog, CatalogChange, CatalogTable},
    clock::Clock,
    definitions::DeployedProcess,
    durable::TableDecision,
    instance_request::Refusal,
};
use crate::{
    engine::{Rejection, rejection::RejectionKind},
    journal::{ScheduleChange, ScheduleKey, ScheduleRow},
    limits,
    model::{executable::ExecutableSchedule, ids::Time},
};

/// The schedules.
pub struct Schedules {
    table: CatalogTable,
    underway: Mutex<StartsInProgress>,
    /// A start has ended: the schedule's next time may be due.
    kept: Notify,
    /// Whether the server has begun the schedules: before that nothing is due.
    begun: AtomicBool,
    firing: Arc<Semaphore>,
    task: OnceLock<AbortHandle>,
    clock: Clock,
}

/// The next due start.
enum NextScheduledRun {
    /// This one.
    Run(ScheduledRun),
    /// Everything that is due has its share of starts in progress.
    Blocked,
    /// Nothing.
    Nothing,
}

/// A schedule as it is listed: its durable row, and the version that defines its times.
#[derive(Clone)]
pub struct ScheduleView {
    /// The row.
    pub row: ScheduleRow,
    /// The published or disabled version of its process.
    pub process: Arc<DeployedProcess>,
}

impl ScheduleView {
    /// The definition of its times.
    pub fn schedule(&self) -> Option<&ExecutableSchedule> {
        self.process.executable.node(&self.row.key.node)?.schedule()
    }

    /// The next time at which it starts an instance, if any.
    pub fn next_run(&self) -> Option<Time> {
        self.row
            .next_due
            .filter(|_| self.row.enabled && self.process.is_published())
    }
}

impl Schedules {
    /// The schedules of a table. They start nothing before the server has begun them.
    pub fn of(table: CatalogTable, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            table,
            underway: Mutex::default(),
            kept: Notify::new(),
            begun: AtomicBool::new(false),
            firing: Arc::new(Semaphore::new(limits::SCHEDULES_AT_ONCE.get())),
            task: OnceLock::new(),
            clock,
        })
    }

    /// The schedules of a tenant, or of one process of it, by process and node.
    pub fn list(&self, tenant: &str, process: Option<&str>) -> Vec<ScheduleView> {
        let wanted = |key: &ScheduleKey| {
            key.tenant == tenant && process.is_none_or(|process| key.process == process)
        };
        self.table.read(|catalog| {
            let rows = catalog.schedules().filter(|row| wanted(&row.key));
            rows.filter_map(|row| view_of(catalog, row)).collect()
        })
    }

    /// One schedule.
    ///
    /// # Errors
    /// [`RejectionKind::NotFound`].
    pub fn get(&self, key: &ScheduleKey) -> Result<ScheduleView, Refusal> {
        let found = self
            .table
            .read(|catalog| catalog.schedule(key).and_then(|row| view_of(catalog, row)));
        found.ok_or_else(|| unknown(key))
    }

    /// Disables or enables a schedule. When it is enabled, the times missed meanwhile are made up
    /// for by its rule. A schedule that is already in the state stays unchanged.
    ///
    /// # Errors
    /// [`RejectionKind::NotFound`]; [`Refusal::Busy`].
    pub async fn switch(&self, key: &ScheduleKey, enabled: bool) -> Result<ScheduleView, Refusal> {
        let now = self.clock.now();
        let decide = |catalog: &Catalog| {
            let ScheduleView { mut row, process } = catalog
                .schedule(key)
                .and_then(|row| view_of(catalog, row))
                .ok_or_else(|| unknown(key))?;
            if row.enabled == enabled {
                return Ok(TableDecision {
                    change: None,
                    answer: ScheduleView { row, process },
                });
            }
            if enabled
                && let Some(schedule) = process
                    .executable
                    .node(&key.node)
                    .and_then(|node| node.schedule())
            {
                misfire::catch_up(&mut row, schedule, now);
            }
            row.enabled = enabled;
            Ok(TableDecision {
                change: Some(put(row.clone())),
                answer: ScheduleView { row, process },
            })
        };
        self.table.change(decide).await?
    }

    /// Whether something is due at `now`.
    pub fn are_due(&self, now: Time) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// Stops all schedules.
    pub fn stop(&self) {
        self.task.get().into_iter().for_each(AbortHandle::abort);
    }

    /// The first due time that has no start in progress.
    pub(super) fn next_due(&self) -> Option<Time> {
        if !self.begun.load(Ordering::Acquire) {
            return None;
        }
        let underway = self.underway();
        self.table.read(|catalog| {
            catalog
                .due()
                .find(|(_, key)| !underway.firing.contains(key))
                .map(|(due, _)| *due)
        })
    }

    /// Takes the due start whose turn it is. Its schedule has no other one until this one has ended
    /// and that is durable.
    fn take_due(&self, now: Time) -> NextScheduledRun {
        let mut underway = self.underway();
        let underway = &mut *underway;
        self.table.read(|catalog| {
            loop {
                let (key, planned) = match underway.next(catalog, now) {
                    Turn::Of(key, planned) => (key, planned),
                    Turn::Blocked => return NextScheduledRun::Blocked,
                    Turn::Nothing => return NextScheduledRun::Nothing,
                };
                let view = catalog.schedule(&key).and_then(|row| view_of(catalog, row));
                let Some(ScheduleView { row, process }) = view else {
                    continue;
                };
                let schedule = process
                    .executable
                    .node(&key.node)
                    .and_then(|node| node.schedule());
                let newest = |schedule: &ExecutableSchedule| {
                    misfire::newest(&schedule.occurrences, planned, row.begun_at, now)
                };
                let due = schedule.map_or(planned, newest);
                underway.firing.insert(key.clone());
                return NextScheduledRun::Run(ScheduledRun {
                    key,
                    due,
                    planned: Some(planned),
                    process,
                });
            }
        })
    }

    fn underway(&self) -> MutexGuard<'_, StartsInProgress> {
        // A panic while the lock is held leaves the value unchanged.
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(row: ScheduleRow) -> CatalogChange {
    CatalogChange {
        versions: Vec::new(),
        schedules: vec![ScheduleChange::Put(row)],
    }
}

/// A schedule with the published or disabled version of its process; `None` when this server can
/// run no such version.
fn view_of(catalog: &Catalog, row: &ScheduleRow) -> Option<ScheduleView> {
    let process = catalog
        .versions()
        .current(&row.key.tenant, &row.key.process)?;
    Some(ScheduleView {
        row: row.clone(),
        process: process.clone(),
    })
}

fn unknown(key: &ScheduleKey) -> Refusal {
    let sentence = format!(
        "expected a schedule of a published process, but '{}' has none at '{}': see GET \
        /v1/schedules",
        key.process, key.node
    );
    Rejection::new(RejectionKind::NotFound, sentence).into()
}
