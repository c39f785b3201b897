//! The assignee of a user task: claim, release, assign.
//!
//! With an assignee only the assignee and operators may act at the task. An assignment moves no
//! token, so it is possible on hold and with an incident. Who may assign: `access`.

use std::sync::Arc;

use super::{
    access::{Caller, Right},
    context::Step,
    guards::{forbidden, require_live, require_participant},
    quotas,
    record::Record,
    rejection::{Rejection, RejectionKind, Unavailable},
    state::ElementInstance,
};
use crate::model::{executable::ExecutableNode, ids::ElementKey, user_name};

/// Claims a user task that is not assigned. Claiming one's own task again changes nothing, but is
/// remembered like any command: a resent command must not claim the task again after it was
/// released.
pub(super) fn claim(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    require_somewhere(step, Right::Execute)?;
    require_live(step)?;
    let (element, node) = user_task(step, key)?;
    let caller = caller(step)?;
    if !belongs_to(element, caller)
        && !step
            .state
            .members()
            .may(step.process, caller, Right::Execute, node)
    {
        return Err(forbidden(&format!(
            "expected a role that may act at '{}', but this user has none: see its lane",
            node.id
        )));
    }
    if let Some(other) = element.assignee().filter(|_| !belongs_to(element, caller)) {
        let sentence = format!(
            "expected an unassigned task, but '{}' is assigned to {other}: it has to be released",
            node.id
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    let user = Arc::from(caller.subject.as_str());
    require_room(step, &user)?;
    step.record(Record::Assigned {
        element: key,
        user: Some(user),
    });
    Ok(())
}

/// Releases a user task: by its assignee, or by somebody who may assign it.
pub(super) fn release(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    require_somewhere(step, Right::Assign)?;
    require_live(step)?;
    let (element, node) = user_task(step, key)?;
    let caller = caller(step)?;
    if !belongs_to(element, caller)
        && !step
            .state
            .members()
            .may(step.process, caller, Right::Assign, node)
    {
        return Err(forbidden(&format!(
            "expected the assignee of '{}' or a role that may assign it, but this user is neither",
            node.id
        )));
    }
    step.record(Record::Assigned {
        element: key,
        user: None,
    });
    Ok(())
}

/// Assigns a user task to a user, who may follow the instance from then on.
pub(super) fn assign(step: &mut Step<'_>, key: ElementKey, user: &str) -> Result<(), Rejection> {
    require_somewhere(step, Right::Assign)?;
    require_live(step)?;
    let (_, node) = user_task(step, key)?;
    let caller = caller(step)?;
    if !step
        .state
        .members()
        .may(step.process, caller, Right::Assign, node)
    {
        return Err(forbidden(&format!(
            "expected a role that may assign '{}', but this user has none: see its lane",
            node.id
        )));
    }
    user_name::check(user)
        .map_err(|sentence| Rejection::new(RejectionKind::BadRequest, sentence))?;
    require_room(step, user)?;
    step.record(Record::Assigned {
        element: key,
        user: Some(Arc::from(user)),
    });
    Ok(())
}

fn require_room(step: &Step<'_>, user: &str) -> Result<(), Rejection> {
    if quotas::for_participant(step, user) {
        return Ok(());
    }
    let sentence = format!(
        "expected at most {} users who were ever assigned a task of one instance, but this is one \
        more: assign it to one of them",
        step.limits.participants
    );
    Err(Rejection::new(RejectionKind::Conflict, sentence))
}

/// Refuses callers that may only follow the instance, whatever the state of the task: those with
/// neither this right anywhere in the instance nor the right to act in it.
fn require_somewhere(step: &Step<'_>, right: Right) -> Result<(), Rejection> {
    let (caller, members) = (caller(step)?, step.state.members());
    if require_participant(step).is_ok()
        || step
            .process
            .nodes()
            .iter()
            .any(|node| members.may(step.process, caller, right, node))
    {
        return Ok(());
    }
    Err(forbidden(
        "expected a member of the instance or a role that may act in it, but this user may only \
        watch",
    ))
}

/// An active user task.
pub(super) fn user_task<'s>(
    step: &'s Step<'_>,
    key: ElementKey,
) -> Result<(&'s ElementInstance, &'s ExecutableNode), Rejection> {
    let active = step
        .state
        .element(key)
        .filter(|element| element.is_active());
    let node = active.and_then(|element| step.process.node(element.node()));
    match active.zip(node) {
        Some((element, node)) if node.user_task().is_some() && !element.is_whole(node) => {
            Ok((element, node))
        }
        found => {
            let place = found.map_or(
                "this element is not one any more".to_owned(),
                |(_, node)| {
                    if node.user_task().is_some() {
                        return format!("'{}' is the whole of its iterations: name one", node.id);
                    }
                    format!("'{}' is a {}", node.id, node.kind.bpmn_name())
                },
            );
            let sentence = format!("expected an active user task, but {place}");
            Err(Rejection::new(
                RejectionKind::Unavailable(Unavailable::NotActive),
                sentence,
            ))
        }
    }
}

fn belongs_to(element: &ElementInstance, caller: &Caller) -> bool {
    element
        .assignee()
        .is_some_and(|assignee| **assignee == *caller.subject)
}

/// Tasks belong to users; the server itself has none.
fn caller<'a>(step: &Step<'a>) -> Result<&'a Caller, Rejection> {
    step.caller.ok_or_else(|| {
        forbidden(
            "expected a user to assign the task to, but the server itself \
        requests it",
        )
    })
}
