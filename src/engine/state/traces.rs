//! The trace of work that an instance does without a command from outside: that of the command that
//! activated the element, or that started the instance. Nothing is kept when the command had no
//! trace.

use std::sync::Arc;

use super::InstanceState;
use crate::{engine::trace::TraceContext, model::ids::ElementKey};

impl InstanceState {
    /// Assigns the trace of a row to the elements that the row activated, and to the instance it
    /// started.
    pub(super) fn belongs_to(&mut self, first_seq: u64, trace: &TraceContext) {
        let is_start = first_seq == 1;
        let mut begun = self.elements.range_mut(ElementKey(first_seq)..).peekable();
        if !is_start && begun.peek().is_none() {
            return;
        }
        let trace = Arc::new(trace.clone());
        for (_, element) in begun {
            element.trace = Some(trace.clone());
        }
        if is_start {
            self.trace = Some(trace);
        }
    }

    /// The trace of the command that activated an element, or that started the instance.
    pub(in crate::engine) fn trace_of(&self, element: Option<ElementKey>) -> Option<TraceContext> {
        let of_element =
            element.map(|key| self.elements.get(&key).and_then(|it| it.trace.as_deref()));
        of_element.unwrap_or(self.trace.as_deref()).cloned()
    }
}
