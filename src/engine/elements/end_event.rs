//! End event: nothing, an error, or the end of its scope. What it publishes it has published before
//! it is left (`publishing`).

use crate::{
    engine::{
        context::Step,
        record::{Record, Status},
        throwing,
    },
    model::{ids::ElementKey, node_kind::EventDefinition},
};

/// What an end event of this scope does once it has been left.
pub(super) fn throw(step: &mut Step<'_>, scope: Option<ElementKey>, event: &EventDefinition) {
    match event {
        EventDefinition::Error(Some(code)) => throwing::throw_error(step, scope, code),
        EventDefinition::Terminate => terminate(step, scope),
        // `validate` lets an end event have no others.
        EventDefinition::None
        | EventDefinition::Error(None)
        | EventDefinition::Timer(_)
        | EventDefinition::Message(_)
        | EventDefinition::Signal(_) => {}
    }
}

/// Ends everything in the scope; the scope itself then completes. That of the instance finishes it.
fn terminate(step: &mut Step<'_>, scope: Option<ElementKey>) {
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
