//! Error boundary event: catches the failure of a child that its activity waits for, ends the
//! activity, and takes the token.
//!
//! Which boundary event catches what is compiled into the activity (`ExecutableNode::catch`).

use crate::{engine::step::Step, model::ids::ElementKey};

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
    let Some(arrivals) = step
        .state
        .element(element)
        .map(|element| element.arrivals().to_vec())
    else {
        return false;
    };
    let own = step
        .state
        .children()
        .values()
        .filter(|child| child.start.element == Some(element));
    let children = own.map(|child| child.start.child).collect();
    step.end_children(children);
    step.terminate(element);
    // It descends from what the activity descended from, so a back step behind the activity finds
    // it.
    step.activate(event, arrivals);
    true
}
