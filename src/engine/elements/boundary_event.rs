//! Boundary event: an event attached to an activity. When it is triggered, the token continues at
//! the event; an interrupting one ends the activity.
//!
//! `engine::subscription` opens its subscription. The events that catch errors and escalations are
//! compiled into the activity (`ExecutableNode::catch`), and found by `engine::throwing`.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    engine::{compensation, context::Step},
    model::ids::ElementKey,
};

/// Triggers a boundary event. An interrupting one terminates the element and every live child that
/// it started. The token continues at the event, which owns what it has caught. Returns `false` when
/// the element is gone.
pub(in crate::engine) fn trigger(
    step: &mut Step<'_>,
    element: ElementKey,
    event: &Arc<str>,
    interrupts: bool,
    caught: Map<String, Value>,
) -> bool {
    let Some((scope, arrivals)) = step
        .state
        .element(element)
        .map(|element| (element.scope(), element.arrivals().to_vec()))
    else {
        return false;
    };
    // A handler that is interrupted at its boundary counts as finished.
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
    // The event has the lineage of the activity, so that a back step to an element before the
    // activity reaches it.
    step.activate_with(event, scope, arrivals, caught);
    if let Some(by) = undone_for {
        compensation::next(step, by, scope);
    }
    true
}
