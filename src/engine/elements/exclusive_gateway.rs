//! Exclusive gateway: takes the first flow whose condition is true, otherwise the first one without
//! a condition, otherwise the default flow. Without any of these it is an incident.

use super::own_work::Own;
use crate::{
    engine::context::Step,
    model::{
        executable::{ExecutableFlow, ExecutableNode},
        ids::ElementKey,
        node_kind::NodeKind,
    },
};

pub(super) fn choose<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Own<'a> {
    let mut unconditional = None;
    for (index, flow) in node.outgoing.iter().enumerate() {
        if Some(index) == node.default_flow {
            continue;
        }
        if !flow.conditional {
            unconditional = unconditional.or(Some(flow));
            continue;
        }
        match is_true(step, key, flow) {
            Some(true) => return Own::Done(vec![flow]),
            Some(false) => {}
            None => return Own::Waiting,
        }
    }
    match unconditional {
        Some(flow) => Own::Done(vec![flow]),
        None => otherwise(step, key, node),
    }
}

/// Whether the condition of a flow is true; `None` when it cannot be evaluated, which is an
/// incident.
pub(super) fn is_true(step: &mut Step<'_>, key: ElementKey, flow: &ExecutableFlow) -> Option<bool> {
    // The condition reads the scope around the element.
    let scope = step.state.element(key).and_then(|element| element.scope());
    is_true_for(step, key, scope, flow)
}

/// The same, with the variables visible to the element `reader`.
pub(super) fn is_true_for(
    step: &mut Step<'_>,
    key: ElementKey,
    reader: Option<ElementKey>,
    flow: &ExecutableFlow,
) -> Option<bool> {
    let variables = step.state.variables(reader);
    match step.evaluator.condition(&flow.id, &variables) {
        Ok(answer) => Some(answer),
        Err(error) => {
            let sentence = format!(
                "the condition of flow '{}' cannot be decided: {error}",
                flow.id
            );
            step.incident(key, "condition_error", sentence, None);
            None
        }
    }
}

/// The default flow, when no condition is true.
pub(super) fn otherwise<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Own<'a> {
    match node.default_flow {
        Some(index) => Own::Done(vec![&node.outgoing[index]]),
        // A merge at the end of a path has no outgoing flow.
        None if node.outgoing.is_empty() => Own::Done(Vec::new()),
        None => {
            let sentence = format!(
                "expected a true condition or a default flow at {} '{}', but every condition is \
                false",
                if matches!(node.kind, NodeKind::Gateway(_)) {
                    "gateway"
                } else {
                    node.kind.bpmn_name()
                },
                node.id
            );
            step.incident(key, "no_flow", sentence, None);
            Own::Waiting
        }
    }
}
