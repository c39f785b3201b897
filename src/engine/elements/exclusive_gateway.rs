//! Exclusive gateway: the first flow whose condition is true, else the default flow, else an
//! incident.

use super::Own;
use crate::{
    engine::step::Step,
    model::{executable::ExecutableNode, ids::ElementKey},
};

pub(super) fn choose<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Own<'a> {
    for (index, flow) in node.outgoing.iter().enumerate() {
        if Some(index) == node.default_flow {
            continue;
        }
        if !flow.conditional {
            return Own::Done(vec![flow]);
        }
        match step.evaluator.condition(&flow.id, step.state.data()) {
            Ok(true) => return Own::Done(vec![flow]),
            Ok(false) => {}
            Err(error) => {
                let sentence = format!(
                    "expected the condition of flow '{}' to be true or false, but {error}",
                    flow.id
                );
                step.incident(key, "condition_error", sentence, None);
                return Own::Waiting;
            }
        }
    }
    match node.default_flow {
        Some(index) => Own::Done(vec![&node.outgoing[index]]),
        // A merge at the end of a path has nothing to choose.
        None if node.outgoing.is_empty() => Own::Done(Vec::new()),
        None => {
            let sentence = format!(
                "expected a true condition or a default flow at gateway '{}', but every \
                condition is false",
                node.id
            );
            step.incident(key, "no_flow", sentence, None);
            Own::Waiting
        }
    }
}
