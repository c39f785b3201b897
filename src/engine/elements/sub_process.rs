//! Embedded subprocess: a scope of its own. It begins at its start event and is complete when
//! nothing in it is active.

use super::own_work::Own;
use crate::{
    engine::context::Step,
    model::{executable::ExecutableNode, ids::ElementKey, node_kind::SubProcess},
};

pub(super) fn advance<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    subprocess: &SubProcess,
) -> Own<'a> {
    match step.state.scope(Some(key)).map(|scope| scope.live()) {
        None => {
            step.activate(&subprocess.start, Some(key), Vec::new());
            Own::Waiting
        }
        Some(0) if !step.stops_at_join(Some(key)) => Own::Done(node.outgoing.iter().collect()),
        Some(_) => Own::Waiting,
    }
}
