//! Boundary event: an event attached to an activity. When it is triggered, the token goes on at the
//! event; an interrupting one ends the activity.
//!
//! What opens its subscription: `engine::subscription`. Which one catches which error is compiled
//! into the activity (`ExecutableNode::catch`).

use std::sync::Arc;

use crate::{engine::context::Step, model::ids::ElementKey};

/// Lets a boundary event of `element` catch a failure: the element and every live child it started
/// are ended, the token goes on at the event. `false` when none catches it.
pub(in crate::engine) fn catch(
    step: &mut Step<'_>,
    element: ElementKey,
    error: Option<&str>,
) -> bool {
    let Some(event) = step.node_of(element).and_then(|node| node.catch(error)) else {
        return false;
    };
    trigger(step, element, event, true)
}

/// A boundary event of an element is triggered. `false` when the element is gone.
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
    if interrupts {
        let mut ended = vec![element];
        if step.state.scope(Some(element)).is_some() {
            ended.extend(step.state.inside(element));
        }
        step.end_children_of(&ended);
        step.terminate(element);
    }
    // It descends from what the activity descended from, so a back step behind the activity finds
    // it.
    step.activate(event, scope, arrivals);
    true
}
