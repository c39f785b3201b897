//! One way to throw: an error or an escalation climbs from the element that waits or the scope it is
//! thrown in, from the inside out, until a boundary event catches it; of those of one activity the
//! specific code goes before the catch-all.
//!
//! What no scope catches leaves the instance: an error fails it, and its end tells the parent; an
//! escalation is sent to the parent, and the instance goes on. There both climb on from the element
//! that waits for this instance (`subprocess`).

use std::sync::Arc;

use super::{
    compensation,
    context::Step,
    elements::{boundary_event, end_event},
    instance_message::InstanceMessage,
    record::Record,
    subscription,
};
use crate::model::{
    executable::{Catch, Thrown},
    ids::ElementKey,
    node_kind::EventDefinition,
};

/// Does what an end or intermediate throw event of this scope throws, once it has been left.
/// `false` when the scope has ended by that.
pub(super) fn throw(
    step: &mut Step<'_>,
    by: ElementKey,
    scope: Option<ElementKey>,
    event: &EventDefinition,
) -> bool {
    match event {
        EventDefinition::Error(Some(code)) => {
            if !throw_error(step, scope, Some(code)) {
                step.fail(code);
            }
        }
        EventDefinition::Escalation(Some(code)) => throw_escalation(step, by, scope, code),
        EventDefinition::Terminate => end_event::terminate(step, scope),
        EventDefinition::Cancel => compensation::cancel(step, scope),
        // Compensation is over by now; a link is a flow; messages and signals are published before (`publishing`).
        EventDefinition::None
        | EventDefinition::Error(None)
        | EventDefinition::Escalation(None)
        | EventDefinition::Compensation(_)
        | EventDefinition::Link
        | EventDefinition::Message(_)
        | EventDefinition::Signal(_)
        | EventDefinition::Timer(_) => {}
    }
    step.state.status().is_live()
        && scope.is_none_or(|key| {
            step.state
                .element(key)
                .is_some_and(|element| element.is_active())
        })
}

/// Lets an element, or a scope around it, catch an error: what it is attached to ends. `false` when
/// nothing does. A failure without a code is caught at the element itself only.
pub(super) fn throw_error(
    step: &mut Step<'_>,
    first: Option<ElementKey>,
    code: Option<&str>,
) -> bool {
    let Some((activity, catch)) = catcher(step, first, Thrown::Error(code)) else {
        return false;
    };
    boundary_event::trigger(step, activity, &catch.node, true)
}

/// Lets an element, or a scope around it, catch an escalation; else it goes to the parent.
pub(super) fn throw_escalation(
    step: &mut Step<'_>,
    by: ElementKey,
    first: Option<ElementKey>,
    code: &str,
) {
    let found = catcher(step, first, Thrown::Escalation(code));
    step.record(Record::EscalationThrown {
        element: by,
        code: code.to_owned(),
        caught_by: found.map(|(_, catch)| Arc::clone(&catch.node)),
    });
    match found {
        Some((activity, catch)) => {
            // A child may escalate again and again by itself.
            if catch.interrupting || subscription::has_room(step, activity, &catch.node) {
                boundary_event::trigger(step, activity, &catch.node, catch.interrupting);
            }
        }
        None => step.send_to_parent(InstanceMessage::Escalation {
            code: code.to_owned(),
        }),
    }
}

/// The innermost boundary event that catches what is thrown, and the activity it is attached to.
fn catcher<'a>(
    step: &Step<'a>,
    first: Option<ElementKey>,
    thrown: Thrown<'_>,
) -> Option<(ElementKey, &'a Catch)> {
    // A completed subprocess in which something is undone catches nothing any more.
    let catch = |key: ElementKey| {
        let node = step.node_of(key)?;
        let catch = node.catch(thrown)?;
        (!compensation::is_undoing(step, key, node)).then_some((key, catch))
    };
    if matches!(thrown, Thrown::Error(None)) {
        return catch(first?);
    }
    std::iter::successors(first, |key| step.state.element(*key)?.scope()).find_map(catch)
}
