//! Fires timers: durable rows, of which the next minute is in memory, and one sleep.
//!
//! Firing is an ordinary command keyed by its timer, applied at most once and never early; a stale
//! one is dropped by the engine. Overdue timers fire after a restart, in order. A few at a time, so
//! that ten thousand due at once do not stall users.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore};

use super::{
    Runtime,
    instance_request::{Envelope, InstanceRequest, InstanceResponse, Reply},
};
use crate::{
    engine::{Command, command::TimerKey},
    model::ids::{InstanceKey, Time},
};

/// How far ahead timers are held in memory, in milliseconds of process time.
const WINDOW: i64 = 60_000;
/// Timers firing at the same time.
const AT_ONCE: usize = 64;
/// Rows read from the table at a time.
const PAGE: usize = 10_000;
/// Before a timer whose instance was busy fires again.
const AGAIN: Duration = Duration::from_millis(100);

type Due = (Time, InstanceKey, TimerKey);

/// The timers of the next minute.
pub struct Timers {
    near: Mutex<Near>,
    changed: Notify,
    firing: Arc<Semaphore>,
}

struct Near {
    due: BTreeSet<Due>,
    /// Timers due before this are in memory.
    until: Time,
}

impl Default for Timers {
    fn default() -> Self {
        let near = Near {
            due: BTreeSet::new(),
            until: Time(i64::MIN),
        };
        Self {
            near: Mutex::new(near),
            changed: Notify::new(),
            firing: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Timers {
    /// Notes a timer whose row is durable. One beyond the window is found by the next reading of
    /// the table.
    pub fn set(&self, due: Time, instance: InstanceKey, key: TimerKey) {
        let mut near = self.lock();
        if due < near.until {
            near.due.insert((due, instance, key));
            drop(near);
            self.changed.notify_one();
        }
    }

    fn take_due(&self, now: Time) -> Option<Due> {
        let mut near = self.lock();
        let first = near.due.first()?;
        if first.0 <= now {
            near.due.pop_first()
        } else {
            None
        }
    }

    /// Whether there is something to do at `now`.
    pub fn are_due(&self, now: Time) -> bool {
        self.next() <= now
    }

    /// How many timers are due at `now`, and how many are in memory.
    pub fn counts(&self, now: Time) -> (usize, usize) {
        let near = self.lock();
        (
            near.due.iter().take_while(|(due, ..)| *due <= now).count(),
            near.due.len(),
        )
    }

    /// When there is something to do next: a timer is due, or the window has to move.
    fn next(&self) -> Time {
        let near = self.lock();
        // The window moves at its half, so that a reading never comes too late.
        let reading = Time(near.until.0.saturating_sub(WINDOW / 2));
        near.due
            .first()
            .map_or(reading, |(due, ..)| reading.min(*due))
    }

    fn lock(&self) -> MutexGuard<'_, Near> {
        // The set is changed by single calls that cannot panic half-way.
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the timers until the server ends.
pub(super) async fn run(runtime: Arc<Runtime>) {
    loop {
        let active = runtime.active();
        let now = runtime.clock.now();
        if now.0 >= runtime.timers.lock().until.0.saturating_sub(WINDOW / 2) {
            read_window(&runtime, now).await;
        }
        while let Some((_, instance, key)) = runtime.timers.take_due(runtime.clock.now()) {
            let Ok(permit) = runtime.timers.firing.clone().acquire_owned().await else {
                return;
            };
            fire(&runtime, instance, key, permit);
        }
        drop(active);
        let next = runtime.timers.next();
        tokio::select! {
            () = runtime.clock.near(next) => {}
            () = runtime.timers.changed.notified() => {}
        }
    }
}

/// Reads the table up to the end of the next window. Timers set meanwhile are either in the table
/// by then or in memory.
async fn read_window(runtime: &Arc<Runtime>, now: Time) {
    let until = Time(now.0.saturating_add(WINDOW));
    runtime.timers.lock().until = until;
    let rows = runtime
        .journal
        .read(move |reader| reader.due_timers(until, PAGE))
        .await;
    match rows {
        Ok(Ok(rows)) => {
            let mut near = runtime.timers.lock();
            if rows.len() == PAGE
                && let Some(last) = rows.last()
            {
                // More are due within the window than fit: the next reading begins where this one
                // ended.
                near.until = last.due;
            }
            for row in rows {
                let key = TimerKey {
                    element: row.key.element,
                    kind: row.key.kind,
                    occurrence: row.key.occurrence,
                };
                near.due.insert((row.due, row.key.instance, key));
            }
        }
        Ok(Err(error)) => log::error!("the timers cannot be read: {error}"),
        Err(_) => {}
    }
}

fn fire(
    runtime: &Arc<Runtime>,
    instance: InstanceKey,
    key: TimerKey,
    permit: tokio::sync::OwnedSemaphorePermit,
) {
    let command = Box::new(Command::FireTimer(key.clone()));
    let ask = InstanceRequest::Apply {
        command,
        tag: None,
        if_seq: None,
    };
    let again = runtime.clone();
    let reply = Reply::to(move |answer| {
        drop(permit);
        if let InstanceResponse::Refused(refusal) = answer
            && let Some(pause) = refusal.again_after(AGAIN)
        {
            let due = again.clock.now();
            let runtime = again.clone();
            again.later(pause, move || {
                runtime.timers.lock().due.insert((due, instance, key));
                runtime.timers.changed.notify_one();
            });
        }
    });
    runtime.dispatch(
        instance,
        Envelope {
            caller: None,
            ask,
            reply,
        },
    );
}
