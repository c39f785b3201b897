//! The actor's mailbox: the handler of each kind of message.

use super::*;

impl Actor for ProcessInstance {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(limits::INSTANCE_MAILBOX.get());
        (self.backlog, self.readers) =
            self.runtime
                .registry
                .settle(self.key, self.generation, ctx.address());
        self.make_room();
        self.drain_backlog(ctx);
        self.serve(ctx);
    }
}

impl Handler<Envelope> for ProcessInstance {
    type Result = ();

    fn handle(&mut self, envelope: Envelope, ctx: &mut Self::Context) {
        self.take(envelope, ctx);
        self.serve_readers();
    }
}

impl Handler<ServeReaders> for ProcessInstance {
    type Result = ();

    fn handle(&mut self, _: ServeReaders, ctx: &mut Self::Context) {
        self.serve(ctx);
    }
}

impl Handler<Passivate> for ProcessInstance {
    type Result = ();

    fn handle(&mut self, _: Passivate, ctx: &mut Self::Context) {
        self.leave_if_broken(ctx);
        self.serve_readers();
        if self.gate.is_open() {
            self.rest(ctx);
        }
    }
}

impl Handler<Stop> for ProcessInstance {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        let leftover = self.leaving.take().unwrap_or_default();
        if self.runtime.registry.reopen(self.key, leftover) {
            self.runtime.load(self.key);
        }
        // Nothing arrives from here on: the slot belongs to another generation, so nobody sends
        // here.
        self.leaving = Some(Vec::new());
        ctx.stop();
    }
}
