//! From committed rows to wire shapes: the frames of a row, the next step in replies, progress and snapshots.
//!
//! A row's frames are rendered once, by the first connection that needs them, and shared. A replay renders the same frames
//! from rows read back, so a client cannot tell the two apart.

use std::sync::Arc;

use bytestring::ByteString;
use uuid::Uuid;

use super::frames::{
    server::to_text,
    shared::{ActionTail, ChildTail, DataTail, ProgressTail, ViewTail, shared_frame},
    step::{ActionEntry, ChildEntry, IncidentEntry, NodeEntry, StepResult},
};
use crate::{
    engine::{
        Record, Row,
        next_step::{NextStep, Offer},
        record::{Push, Status},
        state::Child,
    },
    model::{
        action::{MessageType, Required},
        executable::ExecutableProcess,
        ids::InstanceKey,
    },
    runtime::{
        ask::{Committed, Observed},
        channel::SharedFrame,
    },
};

/// All frames of a committed row, its progress last.
pub fn frames(committed: &Committed) -> &[SharedFrame] {
    committed.rendered.frames.get_or_init(|| {
        let mut frames = missed_frames(committed.instance, &committed.row);
        let prev = frames.last().map_or(committed.row.first_seq - 1, |frame| frame.seq);
        let cause = committed.cause();
        frames.push(progress(committed.instance, committed.row.last_seq(), prev, &executable(committed), &committed.next, cause));
        frames
    })
}

fn executable(committed: &Committed) -> Arc<ExecutableProcess> {
    committed.process.executable.clone()
}

/// The frames of a row but its progress: what a replay repeats.
pub fn missed_frames(instance: InstanceKey, row: &Row) -> Vec<SharedFrame> {
    let cause = row.command.as_ref().map(|tag| tag.id.to_string());
    let mut prev = row.first_seq - 1;
    let mut frames = Vec::new();
    for (seq, record) in row.numbered() {
        let Some(frame) = frame(instance, seq, prev, record, cause.as_deref()) else { continue };
        prev = seq;
        frames.push(frame);
    }
    frames
}

fn frame(instance: InstanceKey, seq: u64, prev: u64, record: &Record, cause: Option<&str>) -> Option<SharedFrame> {
    match record {
        Record::Pushed(push) => Some(pushed(instance, seq, prev, push, cause)),
        Record::ViewReplaced { body } => Some(shared_frame(instance, seq, prev, &ViewTail { body })),
        Record::ChildStarted(start) => {
            let element = start.element.map(|element| element.wire(instance));
            let child = ChildEntry { instance: start.child, process: &start.process, element, status: Status::Started.name() };
            let mut frame = shared_frame(instance, seq, prev, &ChildTail { child });
            frame.announces = Some(start.child);
            Some(frame)
        }
        Record::ChildEnded { child, process, status } => {
            let child = ChildEntry { instance: *child, process, element: None, status: status.name() };
            Some(shared_frame(instance, seq, prev, &ChildTail { child }))
        }
        _ => None,
    }
}

fn pushed(instance: InstanceKey, seq: u64, prev: u64, push: &Push, cause: Option<&str>) -> SharedFrame {
    let (node, action, body) = (push.node.as_str(), push.action.as_str(), &push.body);
    match push.kind {
        MessageType::Default => {
            shared_frame(instance, seq, prev, &DataTail { instance, node, action, body, origin: push.origin, cause })
        }
        MessageType::Action => shared_frame(instance, seq, prev, &ActionTail { instance, node, body }),
    }
}

/// The progress frame of a row's end.
pub fn progress(
    instance: InstanceKey,
    seq: u64,
    prev: u64,
    process: &ExecutableProcess,
    next: &NextStep,
    cause: Option<Uuid>,
) -> SharedFrame {
    let cause = cause.map(|id| id.to_string());
    let tail = ProgressTail {
        status: next.status.name(),
        nodes: &nodes(instance, process, next),
        actions: &actions(instance, process, next),
        cause: cause.as_deref(),
    };
    shared_frame(instance, seq, prev, &tail)
}

/// The tokens of a next step.
pub fn nodes<'a>(instance: InstanceKey, process: &'a ExecutableProcess, next: &'a NextStep) -> Vec<NodeEntry<'a>> {
    let entry = |token: &'a crate::engine::next_step::Token| {
        let node = process.node(&token.node)?;
        Some(NodeEntry {
            element: token.element.wire(instance),
            node: &node.id,
            name: &node.name,
            r#type: node.kind.bpmn_name(),
            read_only: false,
            assignee: None,
            incident: token.incident.as_ref().map(|incident| IncidentEntry { code: &incident.code, message: &incident.message }),
        })
    };
    next.tokens.iter().filter_map(entry).collect()
}

/// The actions of a next step.
pub fn actions<'a>(instance: InstanceKey, process: &'a ExecutableProcess, next: &'a NextStep) -> Vec<ActionEntry<'a>> {
    next.offers.iter().filter_map(|offer| action(instance, process, offer)).collect()
}

fn action<'a>(instance: InstanceKey, process: &'a ExecutableProcess, offer: &'a Offer) -> Option<ActionEntry<'a>> {
    let action = process.node(&offer.node)?.action(&offer.action)?;
    Some(ActionEntry {
        name: &action.name,
        element: offer.element.wire(instance),
        node: &offer.node,
        order: action.order,
        r#type: action.type_name,
        required: if action.required == Required::Mandatory { "mandatory" } else { "optional" },
        repeatable: action.repeatable,
        parent: action.parent.as_deref(),
        back: offer.back,
        keys: action.keys.names().iter().map(String::as_str).collect(),
        required_keys: action.keys.required(),
    })
}

/// Children as receivers see them.
pub fn children<'a>(parent: InstanceKey, children: impl IntoIterator<Item = &'a Child>) -> Vec<ChildEntry<'a>> {
    let entry = |child: &'a Child| ChildEntry {
        instance: child.start.child,
        process: &child.start.process,
        element: child.start.element.map(|element| element.wire(parent)),
        status: child.status.name(),
    };
    children.into_iter().map(entry).collect()
}

/// The `result` of a command, as JSON text. Shared by the repliers of one row unless it carries a token.
pub fn result(committed: &Committed, token: Option<&str>) -> ByteString {
    if token.is_some() {
        return render_result(committed, token);
    }
    committed.rendered.result.get_or_init(|| render_result(committed, None)).clone()
}

fn render_result(committed: &Committed, token: Option<&str>) -> ByteString {
    let (instance, process) = (committed.instance, &committed.process.executable);
    to_text(&StepResult {
        instance,
        status: committed.next.status.name(),
        nodes: nodes(instance, process, &committed.next),
        actions: actions(instance, process, &committed.next),
        ignored: committed.row.ignored.iter().map(String::as_str).collect(),
        children: children(instance, &committed.children),
        token,
    })
}

/// Nodes and actions of a look.
pub fn observed_step(observed: &Observed) -> (Vec<NodeEntry<'_>>, Vec<ActionEntry<'_>>) {
    let (instance, process) = (observed.head.key, &observed.process.executable);
    (nodes(instance, process, &observed.next), actions(instance, process, &observed.next))
}
