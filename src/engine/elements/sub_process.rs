//! Embedded subprocess: a scope of its own. It begins at its start event, else at the nodes that no
//! flow enters, and is complete when nothing in it is active.

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
        None if subprocess.starts.is_empty() => Own::Done(node.outgoing.iter().collect()),
        None => {
            for start in &subprocess.starts {
                step.activate(start, Some(key), Vec::new());
            }
            Own::Waiting
        }
        Some(0) if !step.stops_at_join(Some(key)) => Own::Done(node.outgoing.iter().collect()),
        Some(_) => Own::Waiting,
    }
}
