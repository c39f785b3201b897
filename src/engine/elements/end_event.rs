//! End event: what a terminate end event does to its scope. What the others throw: `engine::throwing`;
//! what one publishes it has published before it is left (`publishing`).

use crate::{
    engine::{
        context::Step,
        record::{Record, Status},
    },
    model::ids::ElementKey,
};

/// Ends everything in the scope; the scope itself then completes. That of the instance finishes it.
pub(in crate::engine) fn terminate(step: &mut Step<'_>, scope: Option<ElementKey>) {
    let Some(key) = scope else {
        return step.end(Status::Finished);
    };
    let inside = step.state.inside(key);
    step.end_children_of(&inside);
    for element in inside.into_iter().rev() {
        step.terminate(element);
    }
    if step
        .state
        .scope(scope)
        .is_some_and(|scope| scope.waiting().next().is_some())
    {
        step.record(Record::WaitingFlowsCleared { scope });
    }
}
