//! When and how an instance leaves memory.

use tokio::sync::Semaphore;

use super::*;
use crate::thread_priority::beside_in;

/// One large instance after the other is put away.
static LEAVING: Semaphore = Semaphore::const_new(1);

impl ProcessInstance {
    /// Notes that it is in use: others that were not used for longer may have to leave memory.
    pub(super) fn make_room(&mut self) {
        for key in self.live_memory.used(self.key) {
            self.runtime.registry.passivate(key);
        }
    }

    /// Whether it should leave memory, because all large instances, or all compiled forms in use,
    /// take too much.
    pub(super) fn takes_too_much(&self) -> bool {
        let has_large_definition = || {
            let process = self.work.memory.as_ref().map(|(_, process)| process);
            process.is_some_and(|process| process.memory.bytes() > limits::LARGE_DEFINITION)
        };
        self.live_memory.is_too_much()
            || (CompiledMemory::of_all() > limits::COMPILED_MEMORY.get() && has_large_definition())
    }

    /// Leaves memory when nothing is in progress; if rows are in flight, once they are durable. What
    /// a large instance needs for that is done on a thread of low priority, except under a virtual
    /// clock: the order of steps must not depend on a thread of its own.
    pub(super) fn rest(&mut self, ctx: &mut Context<Self>) {
        self.serve_readers();
        if self.leaving.is_some() || !self.runtime.registry.close(self.key, self.generation) {
            return;
        }
        self.leaving = Some(Vec::new());
        let (work, gate) = (self.work.take(), self.gate.clone());
        let journal = self.runtime.journal.clone();
        if !self.live_memory.is_long_to_put_away() || self.runtime.clock.is_virtual() {
            work.put_away(&journal, &gate);
            return self.leave_when_durable(ctx);
        }
        let put_away = async move {
            // It is never closed.
            let turn = LEAVING.acquire().await.ok();
            beside_in(turn, move || work.put_away(&journal, &gate)).await
        };
        let leave = |_, actor: &mut Self, ctx: &mut Context<Self>| actor.leave_when_durable(ctx);
        ctx.spawn(put_away.into_actor(self).map(leave));
    }

    /// A row was not written, so the instance in memory is not valid: nothing more is computed from
    /// it, and the instance is read from the store before its next command. Envelopes in the
    /// mailbox wait for that.
    pub(super) fn leave_if_broken(&mut self, ctx: &mut Context<Self>) {
        if self.leaving.is_some() || !self.gate.is_broken() {
            return;
        }
        self.work.forget();
        self.leaving = Some(Vec::new());
        if self.runtime.registry.close(self.key, self.generation) {
            self.leave_when_durable(ctx);
        }
    }

    pub(super) fn leave_when_durable(&self, ctx: &mut Context<Self>) {
        let addr = ctx.address();
        // `send` waits for room in the mailbox; the envelopes in it are collected first.
        let leave = move |arbiter: &actix_rt::ArbiterHandle| {
            arbiter.spawn(async move {
                // An actor that has ended need not leave.
                let _ = addr.send(Stop).await;
            });
        };
        let arbiter = actix_rt::Arbiter::current();
        if self.gate.is_open() {
            leave(&arbiter);
        } else {
            self.runtime.pass_the_queue(move || leave(&arbiter));
        }
    }
}
