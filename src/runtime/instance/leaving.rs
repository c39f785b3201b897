//! When and how an instance leaves memory.

use super::*;

impl ProcessInstance {
    /// Whether it should leave memory, because all large instances, or all compiled forms in use,
    /// take too much.
    pub(super) fn takes_too_much(&self) -> bool {
        let has_large_definition = || {
            let process = self.work.memory.as_ref().map(|(_, process)| process);
            process.is_some_and(|process| process.memory.bytes() > limits::LARGE_DEFINITION)
        };
        self.live_memory.is_too_much()
            || (CompiledMemory::of_all() > limits::COMPILED_MEMORY && has_large_definition())
    }

    /// Leaves memory when nothing is in progress; if rows are in flight, once they are durable.
    pub(super) fn rest(&mut self, ctx: &mut Context<Self>) {
        self.serve_readers();
        if self.leaving.is_some() || !self.runtime.registry.close(self.key, self.generation) {
            return;
        }
        self.leaving = Some(Vec::new());
        if self.work.since_snapshot.rows >= WORTH_A_SNAPSHOT
            && let Ok(slot) = self.runtime.journal.reserve()
            && let Ok(snapshot) = self.work.snapshot()
        {
            // Without the snapshot, the next load replays more rows.
            let release = self.gate.counted(|_| {});
            let slot = self.gate.on(slot);
            slot.snapshot(Entity::from(self.key), snapshot, release);
        }
        self.leave_when_durable(ctx);
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
