//! Applies records of an activity that runs more than once: what its whole remembers of its
//! iterations, and the variables both own.

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

    /// An iteration has begun in its scope.
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

    /// An iteration has completed, or was terminated; one that is undone counts no more.
    pub(super) fn end_iteration(&mut self, iteration: &ElementInstance, well: bool) {
        if let (Some(whole), Some(_)) = (iteration.scope, iteration.loop_counter)
            && !iteration.is_undoing()
        {
            self.with_loop(whole, |looping| looping.end(well));
        }
    }

    /// Changes the state of a whole, and with it what its counters say.
    fn with_loop(&mut self, whole: ElementKey, change: impl FnOnce(&mut LoopState)) {
        let mut bytes = 0;
        self.with(whole, |element| {
            let begins = element.looping.is_none();
            let looping = element.looping.get_or_insert_default();
            change(looping);
            let counters = looping.counters(0);
            element.own(&counters);
            // Their names are what counts: they stay as they are, whatever the loop has counted.
            if begins {
                bytes = serde_json::to_string(&counters).map_or(0, |text| text.len());
                element.owned_bytes += bytes;
            }
        });
        self.owned_bytes += bytes;
    }
}
