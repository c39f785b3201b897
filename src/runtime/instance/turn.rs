//! The thread on which a step of an instance runs: that of the instance or, if the step may take
//! long or the last ones did, another one. The mailbox waits meanwhile, so order and exclusive
//! ownership are kept.

use tokio::task::yield_now;

use super::*;
use crate::expression::worker;

/// The process that a step starts, and with how much data.
pub(super) struct Started {
    process: Arc<DeployedProcess>,
    data: DataSize,
}

/// The pool of a step.
pub(super) struct StepPool {
    pub threads: Arc<StepThreads>,
    pub of: StepOf,
    kind: StepKind,
}

impl ProcessInstance {
    /// The pool for a step that must not run on the instance's thread, with its owner.
    pub(super) fn step_pool(&self, envelope: &Envelope) -> Option<StepPool> {
        let request = &envelope.request;
        let (process, payload) = match (request, &self.work.memory) {
            (InstanceRequest::Start(start), None)
            | (InstanceRequest::StartChild { start, .. }, Some(_)) => {
                (&start.process, &start.command.head.data)
            }
            (InstanceRequest::Apply { command, .. }, Some((_, process))) => {
                (process, payload(command))
            }
            (InstanceRequest::Migrate { migration, .. }, Some(_)) => {
                (&migration.target, &Value::Null)
            }
            _ => return None,
        };
        let memory = self.work.since_snapshot.memory;
        let kind = match process.evaluator.may_take_long(payload, memory) {
            true => StepKind::Scripted,
            false => StepKind::Plain,
        };
        let is_long =
            || exceeds_values(payload, limits::VALUES_ON_ARBITER) || self.is_long(request);
        let threads = match kind {
            StepKind::Scripted if !self.is_long(request) => self.runtime.scripts.clone(),
            StepKind::Plain if !is_long() => return None,
            StepKind::Scripted | StepKind::Plain => self.runtime.long_steps.threads(kind),
        };
        let of = StepOf {
            owner: process.row.owner(),
            kind: envelope.kind(),
            taker: envelope.caller.as_ref().map(Caller::taker),
        };
        Some(StepPool { threads, of, kind })
    }

    /// Whether its last steps took long. Under a virtual clock the order of steps must not depend
    /// on measured time.
    fn is_long(&self, request: &InstanceRequest) -> bool {
        if self.runtime.clock.is_virtual() {
            return false;
        }
        match self.start_in(request) {
            Some(start) => {
                let starts = &self.runtime.long_steps;
                starts.is_long_start(&start.process.row, start.data)
            }
            None => self.long_steps.is_long(),
        }
    }

    pub(super) fn start_in(&self, request: &InstanceRequest) -> Option<Started> {
        match (request, &self.work.memory) {
            (InstanceRequest::Start(start), None) => Some(Started {
                process: start.process.clone(),
                data: DataSize::of(&start.command.head.data),
            }),
            _ => None,
        }
    }

    /// Begins to measure a step.
    pub(super) fn step_timer(&self, started: Option<&Started>) -> StepTimer {
        let is_suspect = match started {
            Some(start) => {
                let starts = &self.runtime.long_steps;
                starts.is_suspect_start(&start.process.row, start.data)
            }
            None => self.long_steps.is_suspect(),
        };
        StepTimer::begin(is_suspect)
    }

    /// Records the time of a step.
    pub(super) fn took(&mut self, kind: StepKind, took: Duration, started: Option<&Started>) {
        self.long_steps = self.long_steps.and(kind, took);
        if let Some(start) = started {
            let starts = &self.runtime.long_steps;
            starts.started(&start.process.row, start.data, kind, took);
        }
    }

    /// Gives the thread to others on it, once the steps of this instance took their time: its mailbox
    /// would be emptied in one go. Under a virtual clock the order must not depend on measured time.
    pub(super) fn let_others_go_on(&mut self, took: Duration, ctx: &mut Context<Self>) {
        self.turn += took;
        if self.turn < limits::INSTANCE_TURN || self.runtime.clock.is_virtual() {
            return;
        }
        (self.turn, self.pauses) = (Duration::ZERO, true);
        ctx.wait(yield_now().into_actor(self).map(|(), actor, ctx| {
            actor.pauses = false;
            actor.drain_backlog(ctx);
        }));
    }

    /// Runs a step on another thread.
    pub(super) fn step_on_pool(
        &mut self,
        StepPool { threads, of, kind }: StepPool,
        envelope: Envelope,
        ctx: &mut Context<Self>,
    ) {
        let started = self.start_in(&envelope.request);
        let (
            Envelope {
                caller,
                request,
                reply,
            },
            around,
        ) = self.observed(envelope);
        let (mut work, journal) = (self.work.take(), self.runtime.journal.clone());
        let caller_kind = of.kind;
        self.away = true;
        let step = threads.run(of, move || {
            let timed = StepTimer::begin(true);
            // Taken only now, so that steps waiting for their turn occupy no room of others.
            let step = journal
                .reserve_for(caller_kind)
                .map(|slot| (work.step(caller.as_ref(), request, around), slot));
            let took = timed.elapsed() + worker::worked_in_step();
            ((work, caller), step, took)
        });
        ctx.wait(step.into_actor(self).map(move |done, actor, ctx| {
            actor.away = false;
            match done {
                Ok(((work, caller), step, took)) => {
                    actor.work = work;
                    actor.took(kind, took, started.as_ref());
                    match step {
                        Ok((step, slot)) => {
                            actor.conclude(step, (caller.as_ref(), reply), slot, ctx);
                        }
                        Err(Busy) => actor.refuse_busy(reply, ctx),
                    }
                }
                Err(Panicked) => actor.recover(reply, ctx),
            }
            actor.serve_readers();
            actor.drain_backlog(ctx);
        }));
    }
}

/// The data of a command.
fn payload(command: &Command) -> &Value {
    match command {
        Command::Run(run) => &run.data,
        Command::TakeMessage(message) => &message.data,
        Command::Patch { data, .. } => data,
        _ => &Value::Null,
    }
}
