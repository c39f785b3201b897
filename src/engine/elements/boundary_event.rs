//! Boundary event: an event attached to an activity. When it is triggered, the token continues at
//! the event; an interrupting one ends the activity.
//!
//! What opens its subscription: `engine::subscription`. Which one catches which error or escalation
//! is compiled into the activity (`ExecutableNode::catch`), and found by `engine::throwing`.

use std::sync::Arc;

use crate::{
    engine::{compensation, context::Step},
    model::ids::ElementKey,
};

/// A boundary event of an element is triggered: an interrupting one ends the element and every live
/// child it started; the token continues at the event. `false` when the element is gone.
pub(in crate::engine) fn trigger(
    step: &mut Step<'_>,
    element: ElementKey,
    event: &Arc<str>,
    interrupts: bool,
) -> bool {
    let Some((scope, arrivals)) = step
        .state
        .element(element)
        .map(|element| (element.scope(), element.arrivals().to_vec()))
    else {
        return false;
    };
    // A handler that is ended at its boundary has undone what it was to undo.
    let undone_for = if interrupts {
        compensation::complete(step, element)
    } else {
        None
    };
    if interrupts {
        let mut ended = vec![element];
        if step.state.scope(Some(element)).is_some() {
            ended.extend(step.state.inside(Some(element)));
        }
        step.end_children_of(&ended);
        step.terminate(element);
    }
    // It descends from what the activity descended from, so a back step behind the activity finds
    // it.
    step.activate(event, scope, arrivals);
    if let Some(by) = undone_for {
        compensation::next(step, by, scope);
    }
    true
}
