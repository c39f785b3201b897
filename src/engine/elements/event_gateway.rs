//! Event-based gateway: waits for the events behind it; the token goes on behind the one that comes
//! first, which does not wait again (`transition`).

use super::own_work::Own;
use crate::{
    engine::context::Step,
    model::{executable::ExecutableNode, ids::ElementKey},
};

/// The flow to the event that has come.
pub(super) fn choose<'a>(step: &Step<'_>, key: ElementKey, node: &'a ExecutableNode) -> Own<'a> {
    let first = step
        .state
        .element(key)
        .and_then(|element| element.triggered().first());
    let flow = first.and_then(|event| node.outgoing.iter().find(|flow| flow.target == *event));
    flow.map_or(Own::Waiting, |flow| Own::Done(vec![flow]))
}
