//! Applies the records of an activity that runs more than once: the state of the whole, and the
//! variables of both the whole and its iterations.

use crate::{
    engine::{
        record::LoopRecord,
        state::{ElementInstance, InstanceState, LoopState},
    },
    model::ids::ElementKey,
};

impl InstanceState {
    pub(super) fn looped(&mut self, record: &LoopRecord) {
        let (LoopRecord::Begun { element, .. }
        | LoopRecord::Result { element, .. }
        | LoopRecord::Stopped { element }) = record;
        self.with_loop(*element, |looping| looping.apply(record));
    }

    /// Begins an iteration in its scope.
    pub(super) fn begin_iteration(&mut self, seq: u64, whole: Option<ElementKey>, iteration: u32) {
        let mut variables = None;
        if let Some(whole) = whole {
            self.with_loop(whole, |looping| variables = Some(looping.begin(iteration)));
        }
        self.with(ElementKey(seq), |element| {
            element.loop_counter = Some(iteration);
        });
        if let Some(variables) = variables {
            self.declare(seq, ElementKey(seq), &variables);
        }
    }

    /// Counts an iteration that has completed or was terminated. One that compensates was counted
    /// before.
    pub(super) fn end_iteration(&mut self, iteration: &ElementInstance, well: bool) {
        if let (Some(whole), Some(_)) = (iteration.scope, iteration.loop_counter)
            && !iteration.is_undoing()
        {
            self.with_loop(whole, |looping| looping.end(well));
        }
    }

    /// Changes the state of a whole, and updates the variables of its counters.
    fn with_loop(&mut self, whole: ElementKey, change: impl FnOnce(&mut LoopState)) {
        let mut bytes = 0;
        self.with(whole, |element| {
            let begins = element.looping.is_none();
            let looping = element.looping.get_or_insert_default();
            change(looping);
            let counters = looping.counters(0);
            element.own(&counters);
            // The bytes are counted once: the values of the counters hardly change their size.
            if begins {
                bytes = serde_json::to_string(&counters).map_or(0, |text| text.len());
                element.owned_bytes += bytes;
            }
        });
        self.owned_bytes += bytes;
    }
}
