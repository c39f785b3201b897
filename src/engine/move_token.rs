//! An operator moves a token: its element is terminated, with everything in it, and another node of
//! the same scope is activated as if a flow had led there.
//!
//! This repairs an instance whose model leads to the wrong place. Work that the element has done
//! stays done, and the data stay as they are. `actions::skip` skips incidents.
//!
//! # Rationale
//!
//! **Only within a scope.** A token moved out of its subprocess would leave behind the variables of
//! the subprocess; one moved in would enter a subprocess that has not begun. The subprocess as a
//! whole can be moved, too.

use std::sync::Arc;

use super::{
    context::Step,
    guards::{forbidden, require_moving},
    record::Record,
    rejection::{Rejection, RejectionKind},
    state::ElementInstance,
};
use crate::model::{
    executable::{ExecutableNode, ExecutableProcess},
    ids::ElementKey,
    node_kind::NodeKind,
};

/// Terminates an element and activates a node instead.
pub(super) fn move_token(step: &mut Step<'_>, key: ElementKey, to: &str) -> Result<(), Rejection> {
    if step.caller.is_some_and(|caller| !caller.operator) {
        return Err(forbidden(
            "expected role operator or admin to move a token, but this user has neither",
        ));
    }
    require_moving(step)?;
    let active = step
        .state
        .element(key)
        .filter(|element| element.is_active());
    let Some((element, node)) = active.zip(step.node_of(key)) else {
        let sentence = "expected an active element, but this one is not active any more: read \
            where the tokens are now";
        return Err(conflict(sentence.to_owned()));
    };
    may_leave(step.process, node, element)?;
    if element.is_undoing() {
        let sentence = format!(
            "expected a token of the normal flow, but '{}' is a compensation handler: skip its \
            incident instead",
            node.id
        );
        return Err(conflict(sentence));
    }
    let target = target(step.process, node, to)?.id.clone();
    // The new element has the lineage of the old one, so that a back step before it reaches it.
    let (scope, arrivals) = (element.scope(), element.arrivals().to_vec());
    let mut ends = vec![key];
    if step.state.scope(Some(key)).is_some() {
        ends.extend(step.state.inside(Some(key)));
    }
    step.record(Record::TokenMoved {
        element: key,
        node: Arc::clone(&target),
    });
    step.end_children_of(&ends);
    step.terminate(key);
    step.activate(&target, scope, arrivals);
    Ok(())
}

/// Whether a token may be moved away from a node.
fn may_leave(
    process: &ExecutableProcess,
    node: &ExecutableNode,
    element: &ElementInstance,
) -> Result<(), Rejection> {
    let why = if element.loop_counter().is_some() {
        "is one of several iterations: move the activity as a whole"
    } else if is_event_subprocess(node) {
        "is an event subprocess, which no flow leads on from: move what is in it"
    } else if element.arrivals().len() > 1 {
        "joins the tokens of several flows, which would wait for it again: skip what fails there"
    } else if is_in_ad_hoc(process, node) {
        "is in an ad-hoc subprocess, where there is no order: run the action of another activity"
    } else {
        return Ok(());
    };
    Err(conflict(format!(
        "expected a token that can be moved, but '{}' {why}",
        node.id
    )))
}

/// The node to which the token is moved.
fn target<'a>(
    process: &'a ExecutableProcess,
    from: &ExecutableNode,
    to: &str,
) -> Result<&'a ExecutableNode, Rejection> {
    let Some(target) = process.node(to) else {
        let sentence = format!(
            "expected 'to' to be the id of a node of the process, but there is no '{to}' in it"
        );
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    };
    let why = if target.scope != from.scope {
        "lies in another subprocess: move the subprocess that the token is in, or to a node beside"
    } else if target.for_compensation {
        "only undoes what was done: no token reaches it"
    } else if target.is_join() {
        "waits for several tokens: move to a node behind it"
    } else if is_event_subprocess(target) {
        "begins by its event only"
    } else if is_behind_event_gateway(process, target) {
        "waits behind an event-based gateway: move to the gateway"
    } else {
        match &target.kind {
            NodeKind::Start(_) => "is a start event, which no flow leads to",
            NodeKind::Boundary { .. } => "is a boundary event, which its activity triggers",
            NodeKind::Catch(_)
            | NodeKind::Throw(_)
            | NodeKind::End(_)
            | NodeKind::Task(_)
            | NodeKind::Call(_)
            | NodeKind::SubProcess(_)
            | NodeKind::Gateway(_) => return Ok(target),
        }
    };
    Err(conflict(format!(
        "expected a node that a token can be moved to, but '{to}' {why}"
    )))
}

fn is_event_subprocess(node: &ExecutableNode) -> bool {
    node.sub_process().is_some_and(|it| it.triggered_by_event)
}

fn is_in_ad_hoc(process: &ExecutableProcess, node: &ExecutableNode) -> bool {
    let around = node.scope.as_ref().and_then(|scope| process.node(scope));
    around.is_some_and(|around| around.ad_hoc().is_some())
}

fn is_behind_event_gateway(process: &ExecutableProcess, node: &ExecutableNode) -> bool {
    let sources = node.incoming.iter();
    sources
        .filter_map(|flow| process.source_of(flow))
        .any(ExecutableNode::is_event_gateway)
}

fn conflict(sentence: String) -> Rejection {
    Rejection::new(RejectionKind::Conflict, sentence)
}
