//! Standard loop: one iteration after the other, as long as a condition is true.
//!
//! The condition reads the variables visible to the activity, with `loopCounter` as the number of
//! iterations that have begun. A loop that never waits reaches the limit of elements per command,
//! as any endless loop does.

use super::iteration::{CONDITION, begin, live, state};
use crate::{
    engine::{context::Step, record::LoopRecord},
    model::{executable::ExecutableNode, ids::ElementKey},
};

pub(super) fn advance(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    (conditional, test_before): (bool, bool),
    maximum: Option<u32>,
) -> bool {
    if live(step, key) > 0 {
        return false;
    }
    if state(step, key).is_none() {
        step.record_loop(LoopRecord::Begun {
            element: key,
            instances: None,
            sequential: true,
            items: None,
        });
    }
    let Some(state) = state(step, key) else {
        return true;
    };
    let begun = state.begun();
    if state.is_stopped() || maximum.is_some_and(|maximum| begun >= maximum) {
        return true;
    }
    if conditional && (test_before || begun > 0) {
        match step.evaluator.condition(&node.id, &step.variables(key)) {
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) => {
                let sentence = format!(
                    "the loop condition of '{}' cannot be decided: {error}",
                    node.id
                );
                step.incident(key, CONDITION, sentence, None);
                return false;
            }
        }
    }
    begin(step, key, node);
    false
}
