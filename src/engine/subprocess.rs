//! Parent and child instances: starting a child, and what the one says to the other.
//!
//! Each instance decides alone; messages travel through the outbox in order and are taken once: the receiver remembers the
//! last number per open peer. A repeat, or a message from a peer it does not know, leaves no record.

use std::sync::Arc;

use serde_json::Value;

use super::{
    peer::PeerMessage,
    record::{ChildStarted, Created, ParentLink, ProcessRef, Push, Record, Status},
    state::Child,
    step::Step,
};
use crate::model::{
    executable::{ActionWork, Subprocess},
    ids::{ElementKey, InstanceKey},
    merging::{MAX_DATA_DEPTH, exceeds_depth},
    template::Builtins,
};

/// Starts a child: recorded here, begun by a message. Its key is drawn from the number of the record.
pub(super) fn start_child(
    step: &mut Step<'_>,
    called: &Subprocess,
    element: ElementKey,
    action: Option<(Arc<str>, u32)>,
    awaited: bool,
) {
    let child = step.next_child_key();
    let process = called.process.to_string();
    let start = ChildStarted { child, process: process.clone(), element: Some(element), action, awaited, heard: 0 };
    let seq = step.record(Record::ChildStarted(Box::new(start)));
    let head = step.state.head();
    let link = ParentLink { instance: head.key, seq, wants_result: awaited && called.output_key.is_some() };
    let created = Created {
        key: child,
        tenant: head.tenant.clone(),
        process: ProcessRef { id: process, version: 0, revision: String::new() },
        business_key: None,
        parent: Some(link),
        root: head.root,
        started_by: head.started_by.clone(),
        root_started_by: head.root_started_by.clone(),
        data: called.copy.apply(step.state.data()),
        expires_at: None,
        test: head.test,
    };
    step.tell(child, PeerMessage::Start { head: Box::new(created), start_condition: None });
}

/// Takes a message of the parent or a child.
pub(super) fn receive(step: &mut Step<'_>, from: InstanceKey, number: u64, message: PeerMessage) {
    let is_parent = step.state.head().parent.as_ref().is_some_and(|link| link.instance == from);
    if is_parent {
        return receive_from_parent(step, from, number, message);
    }
    if let PeerMessage::Linked { offer, process } = message {
        return link_child(step, from, number, offer, process);
    }
    let Some(child) =
        step.state.children().get(&from).filter(|child| number > child.start.heard && child.status.is_live()).cloned()
    else {
        return;
    };
    step.record(Record::PeerHeard { from, number });
    let listens = step.state.status().is_live() && !child.ending;
    match message {
        PeerMessage::Push { kind, body, node, action } if listens => {
            step.record(Record::Pushed(Box::new(Push { kind, node, action, origin: Some(from), body })));
        }
        PeerMessage::Append { patch } if listens => step.merge(child.start.element, patch),
        PeerMessage::Ended { status, result } => child_ended(step, from, &child, status, result),
        PeerMessage::StartRefused { message } => {
            let process = child.start.process.clone();
            step.record(Record::ChildEnded { child: from, process, status: Status::Terminated });
            child_failed(step, &child, format!("expected to start subprocess '{}', but {message}", child.start.process));
        }
        _ => {}
    }
}

fn receive_from_parent(step: &mut Step<'_>, from: InstanceKey, number: u64, message: PeerMessage) {
    if number <= step.state.parent_heard() || !step.state.status().is_live() {
        return;
    }
    step.record(Record::PeerHeard { from, number });
    match message {
        PeerMessage::End { status } => step.end(status),
        PeerMessage::ParentFinished => drop(step.record(Record::ParentFinished)),
        _ => {}
    }
}

/// A client started a child from this instance's data. Taken even after the end: its followers want to see the child.
fn link_child(step: &mut Step<'_>, child: InstanceKey, number: u64, offer: Option<u64>, process: String) {
    if step.state.children().contains_key(&child) {
        return;
    }
    let start = ChildStarted { child, process, element: None, action: None, awaited: false, heard: number };
    step.record(Record::ChildStarted(Box::new(start)));
    if let Some(seq) = offer.filter(|seq| step.state.open().contains_key(seq)) {
        step.record(Record::OfferClosed { seq });
    }
    match step.state.status() {
        status if status.is_live() => {}
        Status::Finished => step.tell(child, PeerMessage::ParentFinished),
        status => step.tell(child, PeerMessage::End { status }),
    }
}

fn child_ended(step: &mut Step<'_>, key: InstanceKey, child: &Child, status: Status, result: Option<Value>) {
    step.record(Record::ChildEnded { child: key, process: child.start.process.clone(), status });
    let Some(element) = child.start.element.filter(|_| child.start.awaited && step.state.status().is_live()) else { return };
    if status != Status::Finished {
        let sentence = format!("expected subprocess '{}' to finish, but it is {}", child.start.process, status.name());
        return child_failed(step, child, sentence);
    }
    complete_action(step, element, child);
    if let (Some(result), Some(called)) = (result, called_by(step, child)) {
        match outcome(step, called, key, child, result) {
            Ok(Some(patch)) => step.merge(Some(element), patch),
            Ok(None) => {}
            // The child is done and will not run again: only its result is missing, and a retry goes on without it.
            Err(message) => return step.incident(element, "output_error", message, None),
        }
    }
    step.queue(element);
}

fn complete_action(step: &mut Step<'_>, element: ElementKey, child: &Child) {
    if let Some((action, occurrence)) = child.start.action.clone() {
        step.record(Record::ActionCompleted { element, action, occurrence });
    }
}

fn child_failed(step: &mut Step<'_>, child: &Child, sentence: String) {
    let Some(element) = child.start.element.filter(|&element| child.start.awaited && step.state.element(element).is_some())
    else {
        return;
    };
    step.incident(element, "subprocess_failed", sentence, child.start.action.clone());
}

fn called_by<'a>(step: &Step<'a>, child: &Child) -> Option<&'a Subprocess> {
    let node = step.node_of(child.start.element?)?;
    match &child.start.action {
        None => node.call.as_ref(),
        Some((name, _)) => match &node.action(name)?.work {
            ActionWork::StartSubprocess { subprocess, .. } => Some(subprocess),
            _ => None,
        },
    }
}

/// What a child's end brings into the parent's data: its data, or its `output`, under the output key.
fn outcome(
    step: &Step<'_>,
    called: &Subprocess,
    key: InstanceKey,
    child: &Child,
    result: Value,
) -> Result<Option<Value>, String> {
    let Some(path) = &called.output_key else { return Ok(None) };
    let value = match &called.output {
        None => result,
        Some(template) => {
            let head = step.state.head();
            let builtins = Builtins {
                process_instance_id: key,
                parent: Some(head.key),
                root: head.root,
                process_name: &child.start.process,
                started_by: &head.started_by,
                now: step.now,
            };
            template.render(&result, &builtins)?
        }
    };
    let patch = path.nest(value);
    if exceeds_depth(&patch, MAX_DATA_DEPTH) {
        return Err(format!(
            "expected a result of at most {MAX_DATA_DEPTH} levels, but it is deeper; give less back by `output`"
        ));
    }
    Ok(Some(patch))
}
