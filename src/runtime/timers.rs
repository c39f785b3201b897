//! Fires timers: they are durable rows, of which those of the next minute are in memory, with one
//! sleep until the first.
//!
//! Firing is an ordinary command identified by its timer, applied at most once and never early; the
//! engine ignores outdated ones. Overdue timers fire after a restart. Only a few fire at a time, so
//! that ten thousand due at once do not delay users; tenants and definitions take turns, so that
//! none delays the timers of others (`near`).

mod near;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore};

use self::near::{Due, Near, OF_OWNER, TimerTaken};
use super::{
    Runtime,
    instance_request::{Envelope, InstanceRequest, InstanceResponse, ReplyTo},
};
use crate::{
    engine::{Command, command::TimerKey},
    journal::{Owner, StoreError, StoreReader},
    limits,
    model::ids::{InstanceKey, Time},
};

/// How far ahead timers are held in memory, in milliseconds of process time.
const WINDOW: i64 = 60_000;
/// The pause before a timer whose instance was busy fires again.
const AGAIN: Duration = Duration::from_millis(100);

/// The timers of the next minute.
pub struct Timers {
    near: Mutex<Near>,
    changed: Notify,
    firing: Arc<Semaphore>,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            near: Mutex::default(),
            changed: Notify::new(),
            firing: Arc::new(Semaphore::new(limits::TIMERS_AT_ONCE.get())),
        }
    }
}

impl Timers {
    /// Adds a timer whose row is durable. A timer beyond the window is found when the table is read
    /// next.
    pub fn set(&self, owner: Owner, due: Time, instance: InstanceKey, key: TimerKey) {
        if self.lock().set(owner, (due, instance, key)) {
            self.changed.notify_one();
        }
    }

    /// Whether there is something to do at `now`.
    pub fn are_due(&self, now: Time) -> bool {
        let near = self.lock();
        near.are_due(now) || reading_due(&near) <= now
    }

    /// How many timers are due at `now`, and how many are in memory.
    pub fn counts(&self, now: Time) -> (usize, usize) {
        self.lock().counts(now)
    }

    fn lock(&self) -> MutexGuard<'_, Near> {
        // A change under the lock cannot panic half-way.
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window moves when half of it has passed, so that the table is never read too late.
fn reading_due(near: &Near) -> Time {
    Time(near.until.0.saturating_sub(WINDOW / 2))
}

/// Runs the timers until the server ends.
pub(super) async fn run(runtime: Arc<Runtime>) {
    let timers = &runtime.timers;
    loop {
        let active = runtime.active();
        let now = runtime.clock.now();
        let is_due = reading_due(&timers.lock()) <= now;
        if is_due {
            read_window(&runtime, now).await;
        }
        let incomplete = timers.lock().owner_to_read();
        if let Some(owner) = incomplete {
            read_more(&runtime, owner).await;
        }
        let Ok(permit) = timers.firing.clone().acquire_owned().await else {
            return;
        };
        let taken = timers.lock().take(runtime.clock.now());
        let next = match taken {
            TimerTaken::Fire(owner, due) => {
                let place = FiringPlace {
                    runtime: runtime.clone(),
                    timer: Some((owner, due)),
                };
                fire(&runtime, place, permit);
                continue;
            }
            // It is woken when one of the firing timers is done.
            TimerTaken::Blocked => Time::last(),
            TimerTaken::Until(next) => next,
        };
        drop((permit, active));
        let next = next.min(reading_due(&timers.lock()));
        tokio::select! {
            () = runtime.clock.near(next) => {}
            () = timers.changed.notified() => {}
        }
    }
}

/// Reads the table up to the end of the next window, as many timers of each owner as there is room
/// for. A timer that is set meanwhile is either in the table or in memory.
async fn read_window(runtime: &Arc<Runtime>, now: Time) {
    let until = Time(now.0.saturating_add(WINDOW));
    let of_all = move |reader: &dyn StoreReader| {
        let owners = reader.timer_owners()?.into_iter();
        let of_one = |owner: Owner| Ok((due(reader, &owner, until)?, owner));
        owners.map(of_one).collect::<Result<Vec<_>, StoreError>>()
    };
    begin_reading(runtime, Some(until));
    let read = runtime.journal.read(of_all).await;
    let mut near = runtime.timers.lock();
    near.is_reading = false;
    match read {
        Ok(Ok(read)) => {
            for (rows, owner) in read {
                near.read(owner, rows, OF_OWNER);
            }
        }
        Ok(Err(error)) => log::error!("the timers cannot be read: {error}"),
        Err(_) => {}
    }
}

/// Reads more timers of an owner that had more than there was room for.
async fn read_more(runtime: &Arc<Runtime>, owner: Owner) {
    let until = begin_reading(runtime, None);
    let of = owner.clone();
    let read = runtime.journal.read(move |reader| due(reader, &of, until));
    let read = read.await;
    let mut near = runtime.timers.lock();
    near.is_reading = false;
    match read {
        Ok(Ok(rows)) => near.read(owner, rows, OF_OWNER),
        Ok(Err(error)) => {
            log::error!("the timers cannot be read: {error}");
            near.not_read(&owner);
        }
        Err(_) => near.not_read(&owner),
    }
}

fn begin_reading(runtime: &Runtime, until: Option<Time>) -> Time {
    let mut near = runtime.timers.lock();
    near.is_reading = true;
    near.until = until.unwrap_or(near.until);
    near.until
}

fn due(reader: &dyn StoreReader, owner: &Owner, until: Time) -> Result<Vec<Due>, StoreError> {
    let rows = reader.due_timers(owner, until, OF_OWNER)?.into_iter();
    let due = rows.map(|row| {
        let key = TimerKey {
            element: row.key.element,
            kind: row.key.kind,
            occurrence: row.key.occurrence,
        };
        (row.due, row.key.instance, key)
    });
    Ok(due.collect())
}

/// A timer that is firing; when this is dropped, it is done.
struct FiringPlace {
    runtime: Arc<Runtime>,
    timer: Option<(Arc<Owner>, Due)>,
}

impl FiringPlace {
    /// Fires the timer again after a pause; other timers may fire meanwhile.
    fn again_after(mut self, pause: Duration) {
        let Some((owner, (_, instance, key))) = self.timer.take() else {
            return;
        };
        let runtime = self.runtime.clone();
        runtime.timers.lock().release(&owner);
        runtime.timers.changed.notify_one();
        let due = runtime.clock.now();
        let again = runtime.clone();
        runtime.later(pause, move || {
            again.timers.lock().again(&owner, (due, instance, key));
            again.timers.changed.notify_one();
        });
    }
}

impl Drop for FiringPlace {
    fn drop(&mut self) {
        if let Some((owner, due)) = self.timer.take() {
            let timers = &self.runtime.timers;
            let mut near = timers.lock();
            near.release(&owner);
            near.done(&owner, &due);
            drop(near);
            timers.changed.notify_one();
        }
    }
}

fn fire(runtime: &Arc<Runtime>, place: FiringPlace, permit: tokio::sync::OwnedSemaphorePermit) {
    let Some((_, (_, instance, key))) = &place.timer else {
        return;
    };
    let instance = *instance;
    let command = Box::new(Command::FireTimer(key.clone()));
    let request = InstanceRequest::Apply {
        command,
        tag: None,
        if_seq: None,
    };
    let reply = ReplyTo::to(move |answer| {
        drop(permit);
        if let InstanceResponse::Refused(refusal) = answer
            && let Some(pause) = refusal.again_after(AGAIN)
        {
            place.again_after(pause);
        }
    });
    runtime.dispatch(
        instance,
        Envelope {
            caller: None,
            request,
            reply,
        },
    );
}
