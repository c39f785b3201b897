//! The context of a decision apart from the instance, and the span of a command.

use super::*;

impl ProcessInstance {
    /// A command with what its decision depends on; if spans are sent, its span ends with its
    /// answer.
    pub(super) fn observed(&self, mut envelope: Envelope) -> (Envelope, DecisionContext) {
        let mut around = self.around();
        if let Some(spans) = self.runtime.spans.get()
            && !envelope.request.is_read()
        {
            let caller = envelope.caller.as_ref();
            let caller = caller.map(|it| (it.trace.as_deref().cloned(), it.subject.clone()));
            let span = OpenSpan::begin(spans, kind_of(&envelope.request), self.key, caller);
            around.span = Some(span.new_span());
            envelope.reply = span.until(envelope.reply);
        }
        (envelope, around)
    }

    pub(super) fn around(&self) -> DecisionContext {
        let tree_room = self
            .tree
            .as_ref()
            .map_or_else(|| self.runtime.trees.room_of_one(), |tree| tree.room());
        DecisionContext {
            now: self.runtime.clock.now(),
            tree_room,
            disk_room: self.runtime.journal.room().now(),
            span: None,
        }
    }
}
