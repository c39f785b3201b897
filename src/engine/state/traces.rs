//! Which trace what an instance does by itself belongs to: that of the command which began the element,
//! or the instance. Where none was named, nothing is kept.

use std::sync::Arc;

use super::InstanceState;
use crate::{engine::trace::TraceContext, model::ids::ElementKey};

impl InstanceState {
    /// What a row of this trace has begun belongs to it.
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

    /// The trace of what has begun an element, or the instance.
    pub(in crate::engine) fn trace_of(&self, element: Option<ElementKey>) -> Option<TraceContext> {
        let of_element =
            element.map(|key| self.elements.get(&key).and_then(|it| it.trace.as_deref()));
        of_element.unwrap_or(self.trace.as_deref()).cloned()
    }
}
