//! The shell around the pure engine: one actor per live process instance, and everything that moves
//! commands in and effects out.
//!
//! The way of a command: [`Runtime::dispatch`] → `registry` → `instance` (the actor) → `decide` →
//! engine → journal → `after_commit` (frames, reply, effects). What is not here: what commands mean
//! (`engine`), frames and connections (`session`).
//!
//! Where to go next: `instance_request` for what can be asked, `instance` for the commit gate, `outbox` and `timers`
//! for what happens later, `schedules` for what starts by itself, `http_calls` for calls to other
//! systems, `durable` for what is changed beside instances.

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
pub mod step_threads;
mod sweep;
pub mod task_access;
pub mod thread_priority;
mod timers;
mod trees;
pub mod turns;
pub mod users;
pub mod workload;

#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
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
use definitions::{Definitions, StoredCatalog};
use drafts::Drafts;
use files::Files;
use fresh_keys::FreshKeys;
use http_calls::{HttpCallSettings, HttpCalls};
use idle_tracker::{IdleTracker, InProgress};

use instance_request::{Envelope, Refusal, ReplyTo};
use lists::Lists;
use live_memory::LiveMemoryTotal;
use long_steps::LongSteps;
use outbox::{Outbox, StoredDelivery};
use past::Folds;
use presence::Presence;
use read_queue::Read;
use registry::{Dispatched, Registry};
use schedules::Schedules;
use spans::Spans;
pub use start_child::{Inherit, StartError, StartRequest, Stranger};
use step_threads::StepThreads;
use timers::Timers;
use trees::Trees;
use users::Users;

use crate::{
    expression::worker,
    journal::{Busy, Damaged, Journal, StoreError},
    model::ids::{InstanceKey, Time},
};

/// Threads for steps with scripts.
const SCRIPT_THREADS: usize = 2;
/// Before something that cannot be refused is tried again on a disk without room for it.
const ROOM_AGAIN: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(1)
};
/// Before something that cannot be refused is tried again at an instance that cannot be loaded.
/// What is fixed meanwhile continues then.
const DAMAGED_AGAIN: Duration = Duration::from_secs(5);
/// Before a full writer queue is tried again for something that cannot be refused.
const QUEUE_AGAIN: Duration = Duration::from_millis(5);

/// The running system. One per process; shared by everything above it.
pub struct Runtime {
    /// The durable order of rows.
    pub journal: Journal,
    /// Process time.
    pub clock: Clock,
    /// Deployed processes.
    pub definitions: Arc<Definitions>,
    /// What starts by itself.
    pub schedules: Arc<Schedules>,
    /// The files users have brought.
    pub files: Files,
    /// What administrators, operators and designers did.
    pub audit: AuditLog,
    /// What was met that is stored and cannot be read, beside what the store's readers leave out.
    pub damaged: Damaged,
    /// Those who sign in with a password.
    pub users: Users,
    /// What users have typed into tasks and not sent.
    pub drafts: Drafts,
    /// Who has which task open.
    pub presence: Presence,
    /// Who follows which instance.
    pub hub: Arc<Hub>,
    /// Who follows which list.
    pub lists: Lists,
    /// Identity of the log; client cursors of another one mean nothing.
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
    arbiters: Vec<ArbiterHandle>,
    services: ArbiterHandle,
    idle: OnceLock<Duration>,
    tasks: OnceLock<[AbortHandle; 3]>,
    retaining: OnceLock<AbortHandle>,
    spans: OnceLock<Spans>,
    activity: Option<Arc<IdleTracker>>,
}

impl Runtime {
    /// Brings the system up on an open journal and its files: definitions, undelivered messages and
    /// due timers continue where they were. StepThreads run in processes of `script_program`, see
    /// [`expression::worker`](crate::expression::worker).
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn start(
        journal: Journal,
        files: Files,
        http_calls: HttpCallSettings,
        clock: Clock,
        arbiters: Vec<ArbiterHandle>,
        script_program: Option<&PathBuf>,
    ) -> Result<Arc<Self>, StoreError> {
        let bound = fresh_keys::bound_at(clock::real_now());
        let damaged = Damaged::default();
        let noted = damaged.clone();
        let stored = journal.read(move |reader| {
            let keys = reader.instance_keys(bound, fresh_keys::REMEMBERED)?;
            Ok((
                StoredCatalog::read(reader, &noted)?,
                (reader.users()?, drafts::stored(reader)?),
                (outbox::stored(reader)?, reader.kept_messages()?),
                (reader.log_incarnation()?, reader.newest_time()?),
                keys,
            ))
        });
        let (deployed, (users, drafts), (outbox, kept), (log, newest), keys) =
            stored.await.map_err(|_| StoreError::Panicked)??;
        if let Some(newest) = newest {
            clock.go_on_after(newest);
        }
        let no_thread = |error| StoreError::Failed("start the threads of steps", Box::new(error));
        let program = script_program.cloned();
        let scripts = StepThreads::start("scripts", SCRIPT_THREADS, move || {
            if let Some(program) = program.clone() {
                worker::give_this_thread(program);
            }
        });
        let scripts = Arc::new(scripts.map_err(no_thread)?);
        let (definitions, schedules) = Definitions::of(
            journal.clone(),
            deployed,
            clock.clone(),
            http_calls.clone(),
            scripts.clone(),
        );
        definitions
            .repair()
            .await
            .map_err(|_| StoreError::Panicked)?;
        let services = actix_rt::Arbiter::current();
        let activity = clock.is_virtual().then(Arc::default);
        let users = Users::load(journal.clone(), users, &damaged);
        let lists = Lists::default();
        definitions.announce_to(&lists);
        users.announce_to(&lists);
        let runtime = Arc::new(Self {
            users,
            audit: AuditLog::of(journal.clone()),
            drafts: Drafts::load(journal.clone(), drafts),
            presence: Presence::default(),
            journal,
            clock,
            definitions,
            schedules,
            files,
            damaged,
            hub: Arc::default(),
            lists,
            log,
            registry: Registry::default(),
            live_memory: LiveMemoryTotal::default(),
            folds: Folds::default(),
            long_steps: LongSteps::of_cores(arbiters.len()).map_err(no_thread)?,
            fresh: FreshKeys::after(bound, keys),
            outbox: Outbox::default(),
            correlations: Correlations::load(kept),
            trees: Trees::default(),
            timers: Timers::default(),
            http_calls: HttpCalls::new(http_calls),
            scripts,
            arbiters,
            services,
            idle: OnceLock::new(),
            tasks: OnceLock::new(),
            retaining: OnceLock::new(),
            spans: OnceLock::new(),
            activity,
        });
        runtime.resume_outbox(outbox).await?;
        let timers = actix_rt::spawn(timers::run(runtime.clone()));
        let sweeper = actix_rt::spawn(sweep::run(Arc::downgrade(&runtime)));
        let calls = actix_rt::spawn(http_calls::run(runtime.clone()));
        let looks = runtime.clone();
        // Nobody waits for it: it reads all live instances.
        actix_rt::spawn(async move {
            if let Err(error) = looks.definitions.look_for_stranded().await {
                log::error!("the definitions of live instances cannot be looked after: {error}");
            }
            if let Err(error) = looks.look_for_damage().await {
                log::error!("the live instances cannot be looked after: {error}");
            }
        });
        // Set here only, right after the runtime was made.
        let _ = runtime.tasks.set([
            timers.abort_handle(),
            sweeper.abort_handle(),
            calls.abort_handle(),
        ]);
        let settled = runtime.settle_leftovers().await;
        settled.map_err(|error| {
            StoreError::Failed("look after unfinished uploads", Box::new(error))
        })?;
        Ok(runtime)
    }

    async fn resume_outbox(
        self: &Arc<Self>,
        letters: Vec<StoredDelivery>,
    ) -> Result<(), StoreError> {
        let runtime = self.clone();
        let in_trees = self.journal.read(move |reader| {
            let in_tree =
                |letter: StoredDelivery| Ok((letter.tree(&runtime.trees, reader)?, letter));
            letters
                .into_iter()
                .map(in_tree)
                .collect::<Result<Vec<_>, StoreError>>()
        });
        let in_trees = in_trees.await.map_err(|_| StoreError::Panicked)??;
        self.outbox.resume(self, in_trees);
        Ok(())
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
        self.bring_up(key, self.registry.dispatch(key, envelope));
    }

    /// Reads an instance, loading it if need be. Never `busy`: readers wait beside the commands,
    /// not behind them.
    pub fn read(self: &Arc<Self>, key: InstanceKey, mut read: Read) {
        read.reply = self.until_answered(read.reply);
        self.bring_up(key, self.registry.read(key, read));
    }

    /// Reads an instance once more, whose answer was computed from what was not written.
    fn read_again(self: &Arc<Self>, key: InstanceKey, read: Read) {
        self.bring_up(key, self.registry.read(key, read));
    }

    fn bring_up(self: &Arc<Self>, key: InstanceKey, dispatched: Dispatched) {
        match dispatched {
            Dispatched::Sent => {}
            Dispatched::Load => self.load(key),
            Dispatched::Recover => {
                let runtime = self.clone();
                self.pass_the_queue(move || runtime.load(key));
            }
        }
    }

    /// Ends what runs by itself: timers and schedules no longer fire, no call leaves, idle
    /// instances stay. The instances end with their arbiters.
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

    /// What is in progress, with a virtual clock.
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
        let timer = timer.map_err(|_| StoreError::Panicked)??;
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
    pub fn letters_under_way(&self) -> usize {
        self.outbox.len()
    }

    /// Lets instances leave memory after another time than the default of 60 s; may be set once.
    pub fn set_idle(&self, idle: Duration) {
        // A second setting keeps the first.
        let _ = self.idle.set(idle);
    }

    /// Runs `then` once it is known what became of every row handed over so far.
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
