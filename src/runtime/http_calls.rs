//! Makes the HTTP calls that instances have placed, with retries, also after a restart.
//!
//! The table of calls is authoritative: a call is inserted with the row of its instance, and
//! deleted with the row that takes its response, so a response is taken once, however often the
//! call was made. This module only knows the calls that are being made: a few in all, to each host,
//! for each definition and for each tenant, so that neither a slow host nor a definition with many
//! calls delays others; the rest wait in the table. Retries are due by process time.
//!
//! `sender` makes one attempt, `settings` holds what the operator allows, `allow_list` and
//! `addresses` check the targets, `wire_request` and `response_body` write and read the bytes. Not
//! here: the meaning of a call and of its response (`engine::http_call`).
//! and its answer mean (`engine::http_call`).

mod addresses;
mod allow_list;
mod outcome;
mod resolver;
mod response_body;
mod retry;
mod sender;
mod settings;
mod signature;
mod wire_request;

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_rt::Arbiter;
use tokio::sync::Notify;

pub use allow_list::Targets;
pub use resolver::{Lookup, ResolvedAddresses};
pub use settings::HttpCallSettings;

use super::{Runtime, spans::CallSpan};
use crate::{
    engine::{http_call::HttpCallRequest, trace::TraceContext},
    journal::{FullPlaces, HttpCallRow, codec},
    limits::{CALLS_AT_ONCE, CALLS_PER_DEFINITION, CALLS_PER_HOST, CALLS_PER_TENANT},
    model::ids::{InstanceKey, Time},
};
pub(super) use sender::Failed;
use sender::Sender;

/// The pause before the table is read again after a failure, in milliseconds of process time.
const AGAIN: i64 = 1_000;

type CallId = (InstanceKey, u64);

/// The calls being made.
pub struct HttpCalls {
    sender: Sender,
    now: Mutex<Now>,
    changed: Notify,
    /// A thread of its own, because reading large responses takes long.
    arbiter: Arbiter,
}

struct Now {
    /// The calls that are being made.
    running: HashMap<CallId, CallTarget>,
    /// When the table has to be read again.
    next_read: Time,
}

/// The host of a call, and its owner.
struct CallTarget {
    host: String,
    tenant: String,
    process: String,
}

/// A call that is being made, until this is dropped.
struct RunningCall {
    runtime: Arc<Runtime>,
    id: CallId,
    /// The trace that the response continues.
    trace: Option<TraceContext>,
}

impl HttpCalls {
    /// Makes no call before `run`.
    pub fn new(settings: HttpCallSettings) -> Self {
        let now = Mutex::new(Now {
            running: HashMap::new(),
            next_read: Time(i64::MIN),
        });
        Self {
            sender: Sender::new(settings),
            now,
            changed: Notify::new(),
            arbiter: Arbiter::new(),
        }
    }

    /// A call was placed, and its row is durable.
    pub fn placed(&self) {
        self.lock().next_read = Time(i64::MIN);
        self.changed.notify_one();
    }

    /// Whether there is something to do at `now`. Calls that are being made are counted separately.
    pub fn is_due(&self, now: Time) -> bool {
        self.next() <= now
    }

    /// Ends the calls that are being made; the next start makes them again.
    pub fn stop(&self) {
        self.arbiter.stop();
    }

    fn next(&self) -> Time {
        let now = self.lock();
        if now.running.len() < CALLS_AT_ONCE.get() {
            now.next_read
        } else {
            Time::last()
        }
    }

    fn schedule_read(&self, due: Time) {
        let mut now = self.lock();
        now.next_read = now.next_read.min(due);
        drop(now);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        // Only changed by single calls that cannot panic in the middle.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    /// The hosts and owners for which no further call may be made now.
    fn full(&self) -> FullPlaces {
        let definition = |target: &CallTarget| (target.tenant.clone(), target.process.clone());
        FullPlaces {
            hosts: self.having(CALLS_PER_HOST.get(), |target| target.host.clone()),
            tenants: self.having(CALLS_PER_TENANT.get(), |target| target.tenant.clone()),
            definitions: self.having(CALLS_PER_DEFINITION.get(), definition),
        }
    }

    /// The values of `of` that at least `most` of the calls being made share.
    fn having<T: Hash + Ord>(&self, most: usize, of: impl Fn(&CallTarget) -> T) -> Vec<T> {
        let mut counts: HashMap<T, usize> = HashMap::new();
        for target in self.running.values() {
            *counts.entry(of(target)).or_default() += 1;
        }
        let full = counts.into_iter().filter(|(_, count)| *count >= most);
        let mut full: Vec<T> = full.map(|(what, _)| what).collect();
        full.sort();
        full
    }

    /// Takes a place for a call, if one is free.
    fn take(&mut self, row: &HttpCallRow) -> bool {
        let room = self.running.len() < CALLS_AT_ONCE.get() && !self.full().has(row);
        if room {
            let target = CallTarget {
                host: row.host.clone(),
                tenant: row.tenant.clone(),
                process: row.process.clone(),
            };
            self.running.insert(row.key(), target);
        }
        room
    }
}

/// Makes calls until the server ends.
pub(super) async fn run(runtime: Arc<Runtime>) {
    loop {
        let active = runtime.active();
        while runtime.http_calls.is_due(runtime.clock.now()) {
            next_read(&runtime).await;
        }
        drop(active);
        let next = runtime.http_calls.next();
        tokio::select! {
            () = runtime.clock.near(next) => {}
            () = runtime.http_calls.changed.notified() => {}
        }
    }
}

/// Reads the due calls and begins as many as there are places.
async fn next_read(runtime: &Arc<Runtime>) {
    let http_calls = &runtime.http_calls;
    let now = runtime.clock.now();
    // The rows include those of the calls that are being made.
    let page = 2 * CALLS_AT_ONCE.get();
    // A call that is being made now may end before its row is read here; its row is then outdated.
    let (full, running) = {
        let mut state = http_calls.lock();
        state.next_read = Time::last();
        (
            state.full(),
            state.running.keys().copied().collect::<HashSet<CallId>>(),
        )
    };
    let rows = runtime
        .journal
        .read(move |reader| Ok((reader.due_calls(now, &full, page)?, reader.next_call(now)?)))
        .await;
    let (rows, next) = match rows {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => {
            log::error!("the calls to the outside cannot be read: {error}");
            return http_calls.schedule_read(Time(now.0.saturating_add(AGAIN)));
        }
        // The journal has shut down.
        Err(_) => return,
    };
    let is_whole = rows.len() < page;
    let mut begun = 0;
    for row in rows.into_iter().filter(|row| !running.contains(&row.key())) {
        if http_calls.lock().take(&row) {
            begun += 1;
            begin(runtime, row);
        }
    }
    if !is_whole && begun > 0 {
        // There are more, perhaps to hosts that are at their limit.
        http_calls.schedule_read(now);
    }
    if let Some(next) = next {
        http_calls.schedule_read(next);
    }
}

fn begin(runtime: &Arc<Runtime>, row: HttpCallRow) {
    let decoded = codec::decode::<(HttpCallRequest, Option<TraceContext>)>(&row.body);
    let trace = decoded.as_ref().ok().and_then(|(_, trace)| trace.clone());
    let running = RunningCall {
        runtime: runtime.clone(),
        id: row.key(),
        trace: trace.clone(),
    };
    let active = runtime.active();
    let runtime = runtime.clone();
    runtime.clone().http_calls.arbiter.spawn(async move {
        match decoded {
            Ok((request, _)) => {
                let sender = &runtime.http_calls.sender;
                let span = runtime
                    .spans
                    .get()
                    .map(|spans| CallSpan::begin(spans, trace.as_ref()));
                let sent_on = span.as_ref().map(CallSpan::context).or(trace.as_ref());
                let tried = sender.send(&request, sent_on).await;
                if let Some(span) = span {
                    span.end(&row, &tried);
                }
                outcome::conclude(running, &row, &request, tried);
            }
            Err(error) => {
                log::error!(
                    "instance {}: its call {} cannot be read and is given up: {error}",
                    row.instance,
                    row.seq
                );
                outcome::unreadable(running, &row, &error);
            }
        }
        drop(active);
    });
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        let http_calls = &self.runtime.http_calls;
        http_calls.lock().running.remove(&self.id);
        http_calls.schedule_read(Time(i64::MIN));
    }
}
