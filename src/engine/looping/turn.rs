//! The number of iterations that an activity begins in one step, and the trigger of the next step.

use crate::{
    engine::{
        context::{STOPPED, Step},
        instance_message::InstanceMessage,
        record::{LoopRecord, Record},
        triggering,
    },
    model::ids::ElementKey,
};

impl Step<'_> {
    /// Whether this step may begin one more iteration, with an item of so many bytes. At least one
    /// is begun, as long as there is room for its elements.
    pub fn takes_turn(&mut self, bytes: usize) -> bool {
        let (begun, before) = self.begun;
        let fits = begun < self.limits.starts_per_step
            && before + bytes <= self.limits.start_bytes_per_step;
        let spared = self.limits.elements_per_command / 2;
        let takes = (fits || begun == 0) && (self.budget > spared || spared == 0);
        if takes {
            self.begun = (begun + 1, before + bytes);
        }
        takes
    }

    /// Requests a step in which an activity begins more iterations. A process that requests steps
    /// without end is stopped.
    pub fn request_turn(&mut self, element: ElementKey) {
        if self.requested_turns.contains(&element) {
            return;
        }
        if self.turn >= self.limits.turns {
            let sentence = format!(
                "expected the process to wait or end, but iterations continued by themselves over \
                {} steps: is there a loop without a user task or a timer? Retry to continue",
                self.limits.turns
            );
            return self.stop(element, STOPPED[0], sentence);
        }
        self.requested_turns.insert(element);
        let turn = self.turn + 1;
        self.send(
            self.state.key(),
            InstanceMessage::StartMore { element, turn },
        );
    }

    /// Stops an element at a limit, which is an incident: in an activity that runs more than once one
    /// of the outermost such activity, however many elements in it stop. A retry of that lets all of
    /// them continue.
    pub fn stop(&mut self, element: ElementKey, code: &str, sentence: String) {
        let scope_of = |key: &ElementKey| self.state.element(*key)?.scope();
        let around = std::iter::successors(Some(element), scope_of);
        let whole = around.filter(|key| self.is_whole(*key)).last();
        // Where every element stops, each is moved by itself.
        let together = self.limits.elements_per_command > 1;
        let at = whole.filter(|_| together).unwrap_or(element);
        if !triggering::has_incident(self, at, code) {
            self.incident(at, code, sentence, None);
        }
    }

    /// Lets everything continue that stopped in an activity that runs more than once.
    pub fn queue_inside(&mut self, whole: ElementKey) {
        if self.is_whole(whole) {
            for element in self.state.inside(Some(whole)) {
                self.queue(element);
            }
        }
    }

    /// Whether an element is the whole of an activity that runs more than once.
    pub fn is_whole(&self, key: ElementKey) -> bool {
        let element = self.state.element(key);
        element
            .zip(self.node_of(key))
            .is_some_and(|(element, node)| element.is_whole(node))
    }

    /// Records a change of an activity that runs more than once.
    pub fn record_loop(&mut self, record: LoopRecord) {
        self.record(Record::Loop(Box::new(record)));
    }
}
