//! The actor of one live process instance: takes envelopes in order, decides, and hands rows to the
//! journal.
//!
//! It is kept thin: it owns the state, so no lock guards it, and moves commands in and rows out.
//! The meaning of commands is in `engine`, the decisions are in `decide`, and what leaves after a
//! commit is in `after_commit`. It runs ahead of durability; everything computed from its state
//! leaves through its commit gate, in order, once the last row handed over before is durable. After
//! every message it answers readers, which wait in a queue of their own.

mod around;
mod in_tree;
mod leaving;
mod mailbox;
mod step_state;
mod turn;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture,
};
use serde_json::Value;

use self::{
    step_state::{EncodedStep, StepState},
    turn::StepPool,
};
use super::{
    Runtime, after_commit,
    commit_gate::CommitGate,
    decide::{ActorDecision, DecisionContext, Memory, decide, kind_of},
    deduplication::{self, LogSearch},
    definitions::{CompiledMemory, DeployedProcess},
    instance_request::{Committed, Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo},
    live_memory::LiveMemory,
    long_steps::{ConsecutiveLongSteps, DataSize, StepKind, StepTimer},
    read_queue::{self, LastObserved, ReadQueue},
    registry::Generation,
    spans::OpenSpan,
    step_threads::{Panicked, StepOf, StepThreads},
    trees::{CountedInTree, Tree},
    written_for::WrittenFor,
};
use crate::{
    engine::{
        Command, Effect, Record, access::Caller, instance_message::InstanceMessage, record::Status,
    },
    journal::{
        AppendPermit, Busy, Commit, Counted, Entity, Journal, LogRow, OutboxRow, ReadModelChange,
        SnapshotRow, StoreError, Written, codec, read_models, snapshot,
    },
    limits,
    model::{deep_merge::exceeds_values, ids::InstanceKey, search_attributes::SearchedTexts},
};

/// Rows after which a snapshot may be due.
const SNAPSHOT_ROWS: u32 = 32;
/// With fewer rows than this, replaying is cheaper than writing a snapshot when the instance leaves
/// memory or ends.
const WORTH_A_SNAPSHOT: u32 = 8;

/// One live process instance.
pub struct ProcessInstance {
    key: InstanceKey,
    generation: Generation,
    runtime: Arc<Runtime>,
    work: StepState,
    /// Its tree; `None` for a root that has started no subprocess.
    tree: Option<Arc<Tree>>,
    /// Whether its tree counts it although its first row is not written yet.
    is_counted: bool,
    /// The commit gate, where rows and answers wait for durability.
    gate: Arc<CommitGate>,
    /// The readers that wait.
    readers: Arc<ReadQueue>,
    last_observed: LastObserved,
    live_memory: LiveMemory,
    /// Envelopes that waited while the instance was loaded; they precede those in the mailbox.
    backlog: VecDeque<Envelope>,
    /// Whether a step is running on another thread, with the state.
    away: bool,
    /// Whether its steps take long.
    long_steps: ConsecutiveLongSteps,
    /// How long its steps took on this thread since others on it went on.
    turn: Duration,
    /// Whether others on this thread go on, and its next command waits for them.
    pauses: bool,
    /// Set when it is leaving memory: collects the envelopes still in the mailbox, which are routed
    /// again.
    leaving: Option<Vec<Envelope>>,
}

/// The rows and bytes accumulated since the last snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gathered {
    /// Log rows.
    pub rows: u32,
    /// Their bytes.
    pub bytes: usize,
    /// Size of the last snapshot.
    pub last_snapshot: usize,
    /// Estimated memory of the whole instance.
    pub memory: usize,
}

/// The loaded state of an instance.
#[derive(Default)]
pub struct Remembered {
    /// The instance, if there is one.
    pub memory: Memory,
    /// Its tree, if it has one.
    pub tree: Option<Arc<Tree>>,
    /// The rows on top of its snapshot.
    pub gathered: Gathered,
}

/// Asks an idle instance to leave memory.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Passivate;

/// A reader waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ServeReaders;

/// Everything before is handled and durable: the actor may stop.
#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Message for Envelope {
    type Result = ();
}

impl ProcessInstance {
    /// An actor for a loaded instance.
    pub fn new(
        key: InstanceKey,
        generation: Generation,
        runtime: Arc<Runtime>,
        Remembered {
            memory,
            tree,
            gathered,
        }: Remembered,
    ) -> Self {
        let live_memory = runtime.live_memory.of_one(gathered.memory);
        Self {
            key,
            generation,
            live_memory,
            runtime,
            work: StepState::new(key, memory, gathered),
            tree,
            is_counted: false,
            gate: Arc::default(),
            readers: Arc::default(),
            last_observed: LastObserved::default(),
            backlog: VecDeque::new(),
            away: false,
            long_steps: ConsecutiveLongSteps::default(),
            turn: Duration::ZERO,
            pauses: false,
            leaving: None,
        }
    }

    fn drain_backlog(&mut self, ctx: &mut Context<Self>) {
        // While a step is on another thread or others go on, the backlog waits.
        while !(self.away || self.pauses)
            && let Some(envelope) = self.backlog.pop_front()
        {
            self.take(envelope, ctx);
            self.serve_readers();
        }
    }

    /// Answers all waiting readers from one observation. They need no permit of the writer's queue,
    /// so none is refused.
    fn serve_readers(&mut self) {
        // While a step is on another thread it has the state; while the actor leaves, its successor
        // answers readers.
        if self.away || self.leaving.is_some() || self.readers.is_empty() || self.gate.is_broken() {
            return;
        }
        let (memory, last, now) = (
            &self.work.memory,
            &mut self.last_observed,
            self.runtime.clock.now(),
        );
        let reads = self.readers.take();
        match catch_unwind(AssertUnwindSafe(|| {
            read_queue::answer(memory, reads, last, now)
        })) {
            Ok(answers) => {
                let (runtime, key) = (self.runtime.clone(), self.key);
                self.gate.after_all(move |written| {
                    for (read, answer) in answers {
                        match written {
                            Ok(()) => read.reply.send(answer),
                            // The observed state is not in the store.
                            Err(_) => runtime.read_again(key, read),
                        }
                    }
                });
            }
            // The readers are dropped unanswered, so they get an error.
            Err(_) => log::error!("instance {}: an observation panicked", self.key),
        }
    }

    /// Only answers readers: an instance that has ended or never existed stays in memory for nobody
    /// else.
    fn serve(&mut self, ctx: &mut Context<Self>) {
        self.leave_if_broken(ctx);
        self.serve_readers();
        if !self.away && (self.is_over() || self.takes_too_much()) {
            self.rest(ctx);
        }
    }

    fn is_over(&self) -> bool {
        self.work
            .memory
            .as_ref()
            .is_none_or(|(state, _)| !state.status().is_live())
    }

    fn take(&mut self, mut envelope: Envelope, ctx: &mut Context<Self>) {
        self.leave_if_broken(ctx);
        if let Some(leftover) = &mut self.leaving {
            return leftover.push(envelope);
        }
        envelope.reply.leaves_mailbox();
        let kind = envelope.kind();
        let step_pool = self.step_pool(&envelope);
        let is_full = |pool: &StepPool| pool.threads.is_full(&pool.of);
        if step_pool.as_ref().is_some_and(is_full) || !self.takes_its_place(&envelope.request) {
            return self.refuse_busy(envelope.reply, ctx);
        }
        if let Some(pool) = step_pool {
            return self.step_on_pool(pool, envelope, ctx);
        }
        let slot = match self.runtime.journal.reserve_for(kind) {
            Ok(slot) => slot,
            Err(Busy) => return self.refuse_busy(envelope.reply, ctx),
        };
        let started = self.start_in(&envelope.request);
        let timed = self.step_timer(started.as_ref());
        let (
            Envelope {
                caller,
                request,
                reply,
            },
            around,
        ) = self.observed(envelope);
        let work = &mut self.work;
        match catch_unwind(AssertUnwindSafe(|| {
            work.step(caller.as_ref(), request, around)
        })) {
            Ok(step) => self.conclude(step, (caller.as_ref(), reply), slot, ctx),
            Err(_) => self.recover(reply, ctx),
        }
        let took = timed.elapsed();
        self.took(StepKind::Plain, took, started.as_ref());
        self.let_others_go_on(took, ctx);
    }

    fn refuse_busy(&mut self, reply: ReplyTo, ctx: &mut Context<Self>) {
        reply.refuse(Refusal::Busy);
        if self.is_over() {
            self.rest(ctx);
        }
    }

    fn conclude(
        &mut self,
        step: EncodedStep,
        (caller, reply): (Option<&Caller>, ReplyTo),
        slot: AppendPermit,
        ctx: &mut Context<Self>,
    ) {
        match step.decided {
            Err(refusal) => self.gate(slot, move |written| {
                reply.send_if(written, InstanceResponse::Refused(refusal));
            }),
            Ok(ActorDecision::InstanceResponse(answer)) => {
                self.gate(slot, move |written| reply.send_if(written, answer));
            }
            Ok(ActorDecision::Repeat { first_seq }) => {
                let search = self.search(caller);
                self.gate(slot, move |written| match written {
                    Ok(()) => deduplication::answer_again(search, first_seq, reply),
                    Err(why) => reply.refuse(why.into()),
                });
            }
            Ok(ActorDecision::LookUp(tag)) => {
                let search = self.search(caller);
                self.gate(slot, move |written| match written {
                    Ok(()) => deduplication::look_up(search, tag, reply),
                    Err(why) => reply.refuse(why.into()),
                });
            }
            Ok(ActorDecision::Write {
                committed, effects, ..
            }) => match step.commit {
                Some(commit) => {
                    if let Some(report) = self.runtime.written.get() {
                        let head = &committed.members.head;
                        report(WrittenFor::of(caller, head), commit.bytes());
                    }
                    self.write(&committed, effects, commit, reply, slot);
                }
                None => self.recover(reply, ctx),
            },
        }
        if self.is_over() || self.takes_too_much() {
            self.rest(ctx);
        }
    }

    fn search(&self, caller: Option<&Caller>) -> LogSearch {
        LogSearch {
            runtime: self.runtime.clone(),
            key: self.key,
            by: caller.map(Caller::taker),
        }
    }

    /// Runs `out` once every row handed over before is durable; immediately when no row is in
    /// flight.
    fn gate(&self, slot: AppendPermit, out: impl FnOnce(Written) + Send + 'static) {
        if self.gate.is_open() {
            // Freed first, because the receiver of the answer may read the length of the queue.
            drop(slot);
            return out(Ok(()));
        }
        self.gate.on(slot).release(self.gate.counted(out));
    }

    fn write(
        &mut self,
        committed: &Arc<Committed>,
        effects: Vec<Effect>,
        commit: Commit,
        reply: ReplyTo,
        slot: AppendPermit,
    ) {
        let bytes = commit.row.body.len();
        let counted = self.count_in_tree(committed, &effects, bytes);
        let (runtime, committed, changes) = (
            self.runtime.clone(),
            committed.clone(),
            commit.changes.clone(),
        );
        let (tree, mut reply) = (self.tree.clone(), reply.handed_over());
        let noted = reply.take_noted();
        let audit = noted.iter().map(|noted| noted.row(&committed)).collect();
        let out = move |written| match written {
            Ok(()) => {
                if let Some(noted) = noted {
                    noted.log(&committed);
                }
                let row = (&committed, bytes);
                after_commit::release(&runtime, row, &changes, (effects, tree), reply);
            }
            Err(why) => {
                counted.take_back();
                reply.refuse(Refusal::from(why));
                runtime.registry.wake(committed.instance);
            }
        };
        let out = self.gate.counted(out);
        self.gate.on(slot).append_audited(commit, audit, out);
        self.live_memory.set(self.work.since_snapshot.memory);
        self.make_room();
    }

    /// Joins the tree a start belongs to. Returns `false` when an instance of the tree has ended
    /// since the start was allowed, so that the start has to be checked again.
    fn takes_its_place(&mut self, request: &InstanceRequest) -> bool {
        match request {
            InstanceRequest::Start(start) if self.work.memory.is_none() => {
                self.tree = start.place.as_ref().map(|place| place.tree.clone());
                self.is_counted = start.place.as_ref().is_some_and(|place| place.counted);
                start
                    .place
                    .as_ref()
                    .is_none_or(|place| place.ends == place.tree.ends())
            }
            _ => true,
        }
    }

    /// The state can no longer be trusted: the command is answered `internal` and has no effect,
    /// and the instance is read from the journal again before the next one.
    fn recover(&mut self, reply: ReplyTo, ctx: &mut Context<Self>) {
        log::error!(
            "instance {}: a command panicked or did not end; the instance is rebuilt from its \
            journal",
            self.key
        );
        self.work.forget();
        reply.refuse(Refusal::Internal);
        if self.leaving.is_none() && self.runtime.registry.close(self.key, self.generation) {
            self.leaving = Some(Vec::new());
            self.leave_when_durable(ctx);
        }
    }
}
