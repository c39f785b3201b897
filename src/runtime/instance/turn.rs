//! When a step of an instance is taken: at once, or, when its steps take long, in its turn.

use super::*;

impl ProcessInstance {
    /// Takes an envelope when it is the turn of this thread's steps and few long ones go on.
    pub(super) fn take(&mut self, envelope: Envelope, ctx: &mut Context<Self>) {
        if self.leaving.is_some() || !self.is_long(&envelope.ask) {
            return self.take_in_turn(envelope, ctx);
        }
        let place = self.runtime.long_steps.try_enter();
        if place.is_some() && !thread_turns::is_over() {
            return self.take_in_turn(envelope, ctx);
        }
        // Whoever waits for longest goes first.
        drop(place);
        self.wait_for_turn(envelope, ctx);
    }

    /// Whether its step takes long, as far as that can be told. Where time stands still the order of
    /// steps depends on no clock.
    fn is_long(&self, ask: &InstanceRequest) -> bool {
        if self.runtime.clock.is_virtual() {
            return false;
        }
        match (ask, &self.memory) {
            (InstanceRequest::Start(start), None) => {
                self.runtime.long_steps.is_long_start(&start.process.row)
            }
            _ => self.long_steps.is_long(),
        }
    }

    fn take_in_turn(&mut self, envelope: Envelope, ctx: &mut Context<Self>) {
        let started = match (&envelope.ask, &self.memory) {
            (InstanceRequest::Start(start), None) => Some(start.process.clone()),
            _ => None,
        };
        let since = Instant::now();
        self.take_now(envelope, ctx);
        let took = since.elapsed();
        self.long_steps = self.long_steps.and(took);
        if let Some(process) = started {
            self.runtime.long_steps.started(&process.row, took);
        }
    }

    /// The mailbox waits meanwhile, so order holds.
    fn wait_for_turn(&mut self, envelope: Envelope, ctx: &mut Context<Self>) {
        self.backlog.push_front(envelope);
        self.away = true;
        let place = self.runtime.long_steps.enter();
        let turn = async move {
            thread_turns::next().await;
            place.await
        };
        ctx.wait(turn.into_actor(self).map(|place, actor, ctx| {
            actor.away = false;
            // Its turn has come: it is not asked for again.
            if let Some(envelope) = actor.backlog.pop_front() {
                actor.take_in_turn(envelope, ctx);
            }
            drop(place);
            actor.serve_readers();
            actor.drain_backlog(ctx);
        }));
    }
}
