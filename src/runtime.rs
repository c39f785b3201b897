//! The shell around the pure engine: one actor per live process instance, and everything that
//! brings commands in and effects out.
//!
//! The way of a command: [`Runtime::dispatch`] → `registry` → `instance` (the actor) → `decide` →
//! engine → journal → `after_commit` (frames, reply, effects). Not here: the meaning of commands
//! (`engine`), frames and connections (`session`).
//!
//! Where to go next: `startup` for the start, `instance_request` for the requests, `instance` for
//! the commit gate, `outbox` and `timers` for later work, `schedules` for starts without a command,
//! `http_calls` for calls to other systems, `durable` for changes beside instances.

mod after_commit;
pub mod audit;
pub mod catalog;
pub mod channel;
pub mod clock;
mod commit_gate;
pub mod correlations;
pub mod damage;
mod decide;
mod deduplication;
pub mod definitions;
pub mod disk_watch;
pub mod drafts;
mod durable;
mod event_log;
pub mod files;
mod fresh_keys;
pub mod http_calls;
pub mod idle_tracker;
mod instance;
pub mod instance_request;
pub mod keys;
pub mod late_scripts;
pub mod lists;
mod live_memory;
mod loading;
mod long_steps;
pub mod missed_rows;
mod outbox;
pub mod past;
mod placement;
pub mod presence;
pub mod previews;
pub mod read_queue;
mod registry;
pub mod retention;
mod room_policy;
pub mod schedules;
pub mod spans;
mod start_child;
mod startup;
pub mod step_threads;
mod sweep;
pub mod task_access;
mod timers;
mod trees;
pub mod turn_gate;
pub mod users;
pub mod workload;
pub mod written_for;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_rt::ArbiterHandle;
use tokio::task::AbortHandle;
use uuid::Uuid;

use audit::AuditLog;
use channel::Hub;
use clock::Clock;
use correlations::Correlations;
use definitions::Definitions;
use drafts::Drafts;
use files::Files;
use fresh_keys::FreshKeys;
use http_calls::HttpCalls;
use idle_tracker::{IdleTracker, InProgress};

use instance_request::{Envelope, Refusal, ReplyTo};
use late_scripts::LateScripts;
use lists::Lists;
use live_memory::LiveMemoryTotal;
use long_steps::LongSteps;
use outbox::Outbox;
use past::Folds;
use presence::Presence;
use read_queue::Read;
use registry::{Dispatched, Registry};
use schedules::Schedules;
use spans::Spans;
pub use start_child::{Inherit, StartError, StartRequest, Stranger, conditions::StartConditions};
use step_threads::StepThreads;
use timers::Timers;
use trees::Trees;
use users::Users;
use written_for::OnWritten;

use crate::{
    journal::{Busy, Damaged, Journal, StoreError},
    model::ids::{InstanceKey, Time},
};

/// The pause before work that cannot be refused is retried on a disk without room for it.
const ROOM_AGAIN: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(1)
};
/// The pause before work that cannot be refused is retried at an instance that cannot be loaded. If
/// it was repaired meanwhile, it continues.
const DAMAGED_AGAIN: Duration = Duration::from_secs(5);
/// The pause before work that cannot be refused is retried after the writer's queue was full.
const QUEUE_AGAIN: Duration = Duration::from_millis(5);

/// The running system. One per process; shared by everything above it.
pub struct Runtime {
    /// The durable order of rows.
    pub journal: Journal,
    /// Process time.
    pub clock: Clock,
    /// Deployed processes.
    pub definitions: Arc<Definitions>,
    /// Schedules, which start processes without a command.
    pub schedules: Arc<Schedules>,
    /// The uploaded files.
    pub files: Files,
    /// The acts of administrators, operators and designers.
    pub audit: AuditLog,
    /// Stored data that cannot be read, besides those that the store's readers leave out.
    pub damaged: Damaged,
    /// The users who sign in with a password.
    pub users: Users,
    /// The drafts of tasks.
    pub drafts: Drafts,
    /// The users who have a task open.
    pub presence: Presence,
    /// The channels of followed instances.
    pub hub: Arc<Hub>,
    /// The followers of lists.
    pub lists: Lists,
    /// The identity of the log; cursors of another log are invalid.
    pub log: Uuid,
    registry: Registry,
    live_memory: LiveMemoryTotal,
    long_steps: LongSteps,
    /// Logs that are folded away from their instances.
    pub folds: Folds,
    fresh: FreshKeys,
    outbox: Outbox,
    correlations: Correlations,
    trees: Trees,
    timers: Timers,
    http_calls: HttpCalls,
    scripts: Arc<StepThreads>,
    late_scripts: Arc<LateScripts>,
    arbiters: Vec<ArbiterHandle>,
    services: ArbiterHandle,
    idle: OnceLock<Duration>,
    tasks: OnceLock<[AbortHandle; 3]>,
    retaining: OnceLock<AbortHandle>,
    spans: OnceLock<Spans>,
    written: OnceLock<OnWritten>,
    activity: Option<Arc<IdleTracker>>,
}

impl Runtime {
    /// Reports to `receiver` from now on how many bytes are written for whom, before they are
    /// written. To be called once.
    pub fn on_written(&self, receiver: OnWritten) {
        // Set here only.
        let _ = self.written.set(receiver);
    }

    /// Makes spans of commands and calls from now on. To be called once.
    pub fn send_spans(&self, spans: Spans) {
        // Set here only.
        let _ = self.spans.set(spans);
    }

    /// Sends an envelope to an instance, loading it if need be. The only way in for commands.
    pub fn dispatch(self: &Arc<Self>, key: InstanceKey, mut envelope: Envelope) {
        envelope.reply = self.until_answered(envelope.reply);
        // Last, as the reply has the entry for the audit log.
        let envelope = event_log::of_operators(envelope);
        self.load_if_needed(key, self.registry.dispatch(key, envelope));
    }

    /// Reads an instance, loading it if need be. Never `busy`: readers wait beside the commands,
    /// not behind them.
    pub fn read(self: &Arc<Self>, key: InstanceKey, mut read: Read) {
        read.reply = self.until_answered(read.reply);
        self.load_if_needed(key, self.registry.read(key, read));
    }

    /// Reads an instance again, because its answer was computed from rows that were not written.
    fn read_again(self: &Arc<Self>, key: InstanceKey, read: Read) {
        self.load_if_needed(key, self.registry.read(key, read));
    }

    fn load_if_needed(self: &Arc<Self>, key: InstanceKey, dispatched: Dispatched) {
        match dispatched {
            Dispatched::Sent => {}
            Dispatched::Load => self.load(key),
            Dispatched::Recover => {
                let runtime = self.clone();
                self.pass_the_queue(move || runtime.load(key));
            }
        }
    }

    /// Stops timers, schedules and calls; idle instances stay in memory. The instances end with
    /// their arbiters.
    pub fn stop(&self) {
        self.tasks
            .get()
            .into_iter()
            .flatten()
            .chain(self.retaining.get())
            .for_each(AbortHandle::abort);
        self.schedules.stop();
        self.http_calls.stop();
    }

    /// The work in progress, with a virtual clock.
    pub fn activity(&self) -> Option<Arc<IdleTracker>> {
        self.activity.clone()
    }

    /// Runs `then` when nothing is in progress and no timer, schedule or call is due. With a real
    /// clock, at once: time never stops there.
    pub fn when_idle(self: &Arc<Self>, then: impl FnOnce() + Send + 'static) {
        let runtime = self.clone();
        self.services.spawn(async move {
            if let Some(activity) = &runtime.activity {
                let now = || runtime.clock.now();
                let is_due = |now| {
                    runtime.timers.are_due(now)
                        || runtime.schedules.are_due(now)
                        || runtime.http_calls.is_due(now)
                };
                activity.over(|| is_due(now())).await;
            }
            then();
        });
    }

    /// When the next timer or schedule is due, or why the store cannot be read.
    pub async fn next_due(&self) -> Result<Option<Time>, StoreError> {
        let timer = self.journal.read(|reader| reader.next_due()).await;
        let timer = timer.map_err(|_| StoreError::Stopped)??;
        Ok(timer.into_iter().chain(self.schedules.next_due()).min())
    }

    fn until_answered(&self, reply: ReplyTo) -> ReplyTo {
        match &self.activity {
            None => reply,
            Some(activity) => activity.until_answered(reply),
        }
    }

    fn active(&self) -> Option<InProgress> {
        self.activity.as_ref().map(IdleTracker::begin)
    }

    /// How many instances are in memory.
    pub fn live_instances(&self) -> usize {
        self.registry.len()
    }

    /// Whether the message that starts a child is still in progress.
    pub fn is_starting(&self, parent: InstanceKey, child: InstanceKey) -> bool {
        self.outbox.holds((parent, child))
    }

    /// How many messages between instances are in progress.
    pub fn messages_in_progress(&self) -> usize {
        self.outbox.len()
    }

    /// Lets instances leave memory after another time than the default of 60 s; may be set once.
    pub fn set_idle(&self, idle: Duration) {
        // A second setting keeps the first.
        let _ = self.idle.set(idle);
    }

    /// Runs `then` once the outcome of every row handed over so far is known.
    fn pass_the_queue(self: &Arc<Self>, then: impl FnOnce() + Send + 'static) {
        match self.journal.reserve() {
            Ok(slot) => slot.release(Box::new(move |_| then())),
            Err(Busy) => {
                let runtime = self.clone();
                self.later(QUEUE_AGAIN, move || runtime.pass_the_queue(then));
            }
        }
    }

    /// Runs `then` after a while of real time.
    fn later(&self, wait: Duration, then: impl FnOnce() + Send + 'static) {
        let active = self.active();
        self.services.spawn(async move {
            tokio::time::sleep(wait).await;
            then();
            drop(active);
        });
    }
}

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}
