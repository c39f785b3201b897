//! The first checks of a command: the instance must not have ended or be on hold, and the caller
//! must be allowed to act.
//!
//! `access` has the rights themselves.

use super::{
    access::Caller,
    context::Step,
    rejection::{Rejection, RejectionKind, Unavailable},
    status::Status,
};
use crate::model::ids::ElementKey;

/// Refuses when the instance has ended.
pub(super) fn require_live(step: &Step<'_>) -> Result<(), Rejection> {
    let status = step.state.status();
    if status.is_live() {
        return Ok(());
    }
    let sentence = format!("expected a running instance, but it is {}", status.name());
    Err(Rejection::new(
        RejectionKind::Unavailable(Unavailable::Ended),
        sentence,
    ))
}

/// Refuses when the instance has ended or is on hold.
pub(super) fn require_moving(step: &Step<'_>) -> Result<(), Rejection> {
    require_live(step)?;
    if step.state.status() == Status::OnHold {
        let sentence = "expected an instance that is not on hold, but this one is: wait until it \
            is unheld, or unhold it";
        return Err(Rejection::new(
            RejectionKind::Unavailable(Unavailable::OnHold),
            sentence,
        ));
    }
    Ok(())
}

/// Refuses callers that may only follow the instance.
pub(super) fn require_actor(step: &Step<'_>) -> Result<(), Rejection> {
    match step.caller {
        Some(caller)
            if !step.state.members().may_act(step.process, caller)
                && !is_assignee(step, caller) =>
        {
            Err(forbidden(
                "expected a member of the instance or a role that may act in it, but this user \
                may only watch",
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses callers that may only follow the instance and were never assigned a task in it. A former
/// assignee gets the refusal that fits the state of the task: a second click of an assignee arrives
/// after the token has left.
pub(super) fn require_participant(step: &Step<'_>) -> Result<(), Rejection> {
    match step.caller {
        Some(caller) if step.state.members().include(caller) => Ok(()),
        _ => require_actor(step),
    }
}

/// Whether the caller is the assignee of an element, active or retained.
fn is_assignee(step: &Step<'_>, caller: &Caller) -> bool {
    let mut elements = step.state.active().chain(step.state.retained());
    elements.any(|(_, element)| {
        element
            .assignee()
            .is_some_and(|assignee| **assignee == *caller.subject)
    })
}

/// The refusal of a command to callers that may see the instance.
pub(super) fn forbidden(sentence: &str) -> Rejection {
    Rejection::new(RejectionKind::Forbidden, sentence)
}

/// Refuses callers that may not act at an element, because of its lane or because it is assigned to
/// another user.
pub(super) fn require_execute(step: &Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    require_actor(step)?;
    let (Some(caller), Some(element), Some(node)) =
        (step.caller, step.state.element(key), step.node_of(key))
    else {
        return Ok(());
    };
    if step.state.members().may_execute(
        step.process,
        caller,
        node,
        element.assignee().map(|user| &**user),
    ) {
        return Ok(());
    }
    Err(forbidden(&match element.assignee() {
        Some(other) => format!(
            "expected the assignee of '{}', but it is assigned to {other}: it has to be released \
            first",
            node.id
        ),
        None => format!(
            "expected a role that may act at '{}', but this user has none: see its lane",
            node.id
        ),
    }))
}
