//! Renders committed rows as frames: the frames of a row, and the next step in replies, progress
//! and snapshots.
//!
//! The frames of a row are rendered once, by the first connection that needs them, and shared;
//! progress and results once per set of permissions. A replay renders the same frames from stored
//! rows, so a client cannot distinguish the two.

use std::sync::Arc;

use bytestring::ByteString;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    channel::Channel,
    server::{OpenAction, ServerFrame, Snapshot, to_raw},
    shared::{ActionTail, ChildTail, DataTail, ProgressTail, ViewTail, shared_frame},
    step::{ActionEntry, ChildEntry, IncidentEntry, MoreEntries, NodeEntry, StepResult},
};
use crate::{
    engine::{
        Record, RecordBatch,
        access::Caller,
        instance_outcome::InstanceOutcome,
        next_step::{NextStep, Offer, Token},
        permissions::{Permissions, UNEXPLAINED},
        record::{Push, Status},
        state::Child,
    },
    limits::{ACTIONS_WITH_INITIAL, LISTED_ELEMENTS},
    model::{
        action::{MessageType, Required},
        executable::{ActionWork, ExecutableProcess},
        ids::InstanceKey,
        upload::UploadRules,
    },
    runtime::{
        channel::{RenderedEntries, RenderedStep, SharedFrame},
        instance_request::{Committed, InstanceContents, Observed},
        missed_rows::Missed,
    },
};

/// The frames of a committed row that are the same for everybody: all but progress.
pub fn messages(committed: &Committed) -> &[SharedFrame] {
    committed
        .rendered
        .messages
        .get_or_init(|| missed_frames(committed.instance, &committed.row))
}

/// The progress frame of a committed row, as the caller sees it.
pub fn progress_of(committed: &Committed, caller: &Caller) -> SharedFrame {
    let permissions = committed.permissions(caller);
    let step = committed.rendered.step(&permissions);
    let render = || {
        let prev = messages(committed)
            .last()
            .map_or(committed.row.first_seq - 1, |frame| frame.seq);
        let (seq, cause) = (committed.row.last_seq(), committed.cause());
        let entries = entries_of(committed, &permissions, &step);
        progress(
            (committed.instance, seq, prev),
            &committed.next,
            entries,
            cause,
        )
    };
    step.progress.get_or_init(render).clone()
}

/// Tokens and actions after a committed row, written once.
fn entries_of<'a>(
    committed: &Committed,
    permissions: &Permissions,
    step: &'a RenderedStep,
) -> &'a RenderedEntries {
    let (instance, process) = (committed.instance, &committed.process.executable);
    step.entries
        .get_or_init(|| render_entries(instance, process, &committed.next, permissions))
}

/// Tokens and actions of an observation, written once.
fn entries_observed<'a>(
    observed: &Observed,
    permissions: &Permissions,
    step: &'a RenderedStep,
) -> &'a RenderedEntries {
    let (instance, process) = (observed.head().key, &observed.process.executable);
    step.entries
        .get_or_init(|| render_entries(instance, process, &observed.next, permissions))
}

fn render_entries(
    instance: InstanceKey,
    process: &ExecutableProcess,
    next: &NextStep,
    permissions: &Permissions,
) -> RenderedEntries {
    let nodes = nodes(instance, process, next, permissions, LISTED_ELEMENTS);
    let mut actions = actions(instance, process, next, permissions);
    let more_actions = actions.len().saturating_sub(LISTED_ELEMENTS);
    actions.truncate(LISTED_ELEMENTS);
    for action in actions.iter_mut().skip(ACTIONS_WITH_INITIAL) {
        action.initial = None;
    }
    RenderedEntries {
        more_nodes: next.tokens.len() - nodes.len(),
        nodes: to_raw(&nodes),
        actions: to_raw(&actions),
        more_actions,
    }
}

/// The frames of missed rows, without progress.
pub fn frames_of_missed(instance: InstanceKey, missed: &Missed) -> &[SharedFrame] {
    missed.frames.get_or_init(|| {
        missed
            .rows
            .iter()
            .flat_map(|row| missed_frames(instance, row))
            .collect()
    })
}

/// The progress frame of an observation, for a caller whose cursor is at `prev`.
pub fn observed_progress(observed: &Observed, caller: &Caller, prev: u64) -> SharedFrame {
    let permissions = observed.permissions(caller);
    let step = observed.rendered.step(&permissions);
    let render = || {
        let entries = entries_observed(observed, &permissions, &step);
        let place = (observed.head().key, observed.seq, prev);
        progress(place, &observed.next, entries, None)
    };
    step.progress.get_or_init(render).clone()
}

/// The snapshot frame of an observation, as the caller sees it; `None` if the observation does not
/// include data and view.
pub fn snapshot(observed: &Observed, caller: &Caller) -> Option<ByteString> {
    let whole = observed.whole.as_ref()?;
    let permissions = observed.permissions(caller);
    let step = observed.rendered.step(&permissions);
    let render = || {
        render_snapshot(
            observed,
            whole,
            entries_observed(observed, &permissions, &step),
        )
    };
    Some(step.snapshot.get_or_init(render).clone())
}

fn render_snapshot(
    observed: &Observed,
    whole: &InstanceContents,
    entries: &RenderedEntries,
) -> ByteString {
    let (head, next) = (observed.head(), &observed.next);
    let instance = head.key;
    let snapshot = Snapshot {
        channel: &Channel::Instance(instance),
        seq: observed.seq,
        process: &head.process.id,
        parent: head.parent.as_ref().map(|link| link.instance),
        status: next.status.name(),
        outcome: next.outcome.map(InstanceOutcome::name),
        view: &whole.view,
        nodes: &entries.nodes,
        actions: &entries.actions,
        more: MoreEntries::of(entries),
        open: &whole.open.iter().map(OpenAction::from).collect::<Vec<_>>(),
        children: &children(instance, &observed.children),
    };
    snapshot.text()
}

/// The frames of a row without progress, as a replay repeats them.
pub fn missed_frames(instance: InstanceKey, row: &RecordBatch) -> Vec<SharedFrame> {
    let cause = row.command.as_ref().map(|tag| tag.id.to_string());
    let mut prev = row.first_seq - 1;
    let mut frames = Vec::new();
    for (seq, record) in row.numbered() {
        let Some(frame) = frame(instance, seq, prev, record, cause.as_deref()) else {
            continue;
        };
        prev = seq;
        frames.push(frame);
    }
    frames
}

fn frame(
    instance: InstanceKey,
    seq: u64,
    prev: u64,
    record: &Record,
    cause: Option<&str>,
) -> Option<SharedFrame> {
    match record {
        Record::Pushed(push) => Some(pushed(instance, seq, prev, push, cause)),
        Record::ViewReplaced { body } => {
            Some(shared_frame(instance, seq, prev, &ViewTail { body }))
        }
        Record::ChildStarted(start) => {
            let element = start.element.map(|element| element.wire(instance));
            let child = ChildEntry {
                instance: start.child,
                process: &start.process,
                element,
                status: Status::Started.name(),
            };
            let mut frame = shared_frame(instance, seq, prev, &ChildTail { child });
            frame.announces = Some(start.child);
            Some(frame)
        }
        Record::ChildEnded {
            child,
            process,
            status,
        } => {
            let child = ChildEntry {
                instance: *child,
                process,
                element: None,
                status: status.name(),
            };
            Some(shared_frame(instance, seq, prev, &ChildTail { child }))
        }
        Record::Created(_)
        | Record::DataMerged { .. }
        | Record::TokenMoved { .. }
        | Record::Migrated(_)
        | Record::SubscriptionsRenewed { .. }
        | Record::DataPatched { .. }
        | Record::VariablesDeclared { .. }
        | Record::DataReplaced { .. }
        | Record::FileStored(_)
        | Record::FlowArrived { .. }
        | Record::ElementActivated { .. }
        | Record::ElementCompleted { .. }
        | Record::ElementTerminated { .. }
        | Record::SubscriptionsOpened { .. }
        | Record::SubscriptionTriggered { .. }
        | Record::Multiple(_)
        | Record::DeliveryHeld(_)
        | Record::CorrelationNotified { .. }
        | Record::ConditionReset { .. }
        | Record::ScopeInterrupted { .. }
        | Record::WaitingFlowsCleared { .. }
        | Record::GatewayStateChanged { .. }
        | Record::ErrorThrown { .. }
        | Record::EscalationThrown { .. }
        | Record::CompensationThrown { .. }
        | Record::CompensationStarted { .. }
        | Record::CompensationCompleted { .. }
        | Record::TransactionCancelled { .. }
        | Record::ActionStarted { .. }
        | Record::ActionCompleted { .. }
        | Record::OfferClosed { .. }
        | Record::Returned { .. }
        | Record::Loop(_)
        | Record::AdHoc(_)
        | Record::OutputsWritten { .. }
        | Record::MessageReceived { .. }
        | Record::ParentFinished
        | Record::DescendantsEnded
        | Record::MessageSent { .. }
        | Record::HttpCall(_)
        | Record::IncidentRaised { .. }
        | Record::Assigned { .. }
        | Record::TaskScheduled { .. }
        | Record::Reminded { .. }
        | Record::Decided { .. }
        | Record::ActionSkipped { .. }
        | Record::CallSkipped { .. }
        | Record::Held
        | Record::Unheld
        | Record::IncidentsResolved { .. }
        | Record::Ended { .. } => None,
    }
}

fn pushed(
    instance: InstanceKey,
    seq: u64,
    prev: u64,
    push: &Push,
    cause: Option<&str>,
) -> SharedFrame {
    let (node, action, body) = (push.node.as_str(), push.action.as_str(), &push.body);
    match push.kind {
        MessageType::Default => shared_frame(
            instance,
            seq,
            prev,
            &DataTail {
                instance,
                node,
                action,
                body,
                origin: push.origin,
                cause,
            },
        ),
        MessageType::Action => {
            let until = push.open_until.map(|until| until.to_string());
            shared_frame(
                instance,
                seq,
                prev,
                &ActionTail {
                    instance,
                    node,
                    body,
                    until,
                },
            )
        }
    }
}

/// The progress frame at the end of a row: its instance, its number, and the number before.
fn progress(
    (instance, seq, prev): (InstanceKey, u64, u64),
    next: &NextStep,
    entries: &RenderedEntries,
    cause: Option<Uuid>,
) -> SharedFrame {
    let cause = cause.map(|id| id.to_string());
    let tail = ProgressTail {
        status: next.status.name(),
        outcome: next.outcome.map(InstanceOutcome::name),
        nodes: &entries.nodes,
        actions: &entries.actions,
        more: MoreEntries::of(entries),
        cause: cause.as_deref(),
    };
    shared_frame(instance, seq, prev, &tail)
}

/// The tokens of a next step, `maximum` of them: those on which the receiver may act go first.
fn nodes<'a>(
    instance: InstanceKey,
    process: &'a ExecutableProcess,
    next: &'a NextStep,
    permissions: &Permissions,
    maximum: usize,
) -> Vec<NodeEntry<'a>> {
    let entry = |(index, token): (usize, &'a Token)| {
        let node = process.node(&token.node)?;
        Some(NodeEntry {
            element: token.element.wire(instance),
            node: &node.id,
            name: &node.name,
            r#type: node.kind.bpmn_name(),
            scope: token.scope.map(|scope| scope.wire(instance)),
            loop_counter: token.loop_counter,
            read_only: !permissions.token(index),
            assignee: token.assignee.as_deref(),
            due_at: token.due.map(|due| due.to_string()),
            reminded_at: token.reminded.map(|reminded| reminded.to_string()),
            incident: token.incident.as_ref().map(|incident| IncidentEntry {
                code: &incident.code,
                message: if permissions.is_explained() {
                    &incident.message
                } else {
                    UNEXPLAINED
                },
            }),
        })
    };
    let all = next.tokens.iter().enumerate();
    if next.tokens.len() <= maximum {
        return all.filter_map(entry).collect();
    }
    let (own, others): (Vec<_>, Vec<_>) = all.partition(|(index, _)| permissions.token(*index));
    let mut listed: Vec<_> = own.into_iter().chain(others).take(maximum).collect();
    listed.sort_unstable_by_key(|(index, _)| *index);
    listed.into_iter().filter_map(entry).collect()
}

/// The actions of a next step.
fn actions<'a>(
    instance: InstanceKey,
    process: &'a ExecutableProcess,
    next: &'a NextStep,
    permissions: &Permissions,
) -> Vec<ActionEntry<'a>> {
    let open = next
        .offers
        .iter()
        .enumerate()
        .filter(|&(index, _)| permissions.offer(next, index));
    open.filter_map(|(_, offer)| action(instance, process, offer))
        .collect()
}

fn action<'a>(
    instance: InstanceKey,
    process: &'a ExecutableProcess,
    offer: &'a Offer,
) -> Option<ActionEntry<'a>> {
    let action = process.node(&offer.node)?.action(&offer.action)?;
    let rules = if let ActionWork::UploadFile { rules, .. } = &action.work {
        Some(rules)
    } else {
        None
    };
    Some(ActionEntry {
        name: &action.name,
        element: offer.element.wire(instance),
        node: &offer.node,
        order: action.order,
        r#type: action.type_name,
        required: if action.required == Required::Mandatory {
            "mandatory"
        } else {
            "optional"
        },
        repeatable: action.repeatable,
        parent: action.parent.as_deref(),
        back: offer.back,
        keys: action.keys.names().iter().map(String::as_str).collect(),
        required_keys: action.keys.required(),
        schema: action.keys.input_schema().map(|input| input.name.as_str()),
        activity: match &action.work {
            ActionWork::StartActivity { activity } => Some(activity),
            _ => None,
        },
        initial: offer.initial.as_deref(),
        max_bytes: rules.map(UploadRules::max_bytes),
        types: rules.and_then(UploadRules::types),
    })
}

/// Children as receivers see them, in the order they were started.
pub fn children<'a>(
    parent: InstanceKey,
    children: impl IntoIterator<Item = &'a Child>,
) -> Vec<ChildEntry<'a>> {
    let entry = |child: &'a Child| ChildEntry {
        instance: child.start.child,
        process: &child.start.process,
        element: child.start.element.map(|element| element.wire(parent)),
        status: child.status.name(),
    };
    let mut children: Vec<&Child> = children.into_iter().collect();
    children.sort_by_key(|child| child.seq);
    children.into_iter().map(entry).collect()
}

/// The `result` of a command, as the caller sees it. Shared by all replies to one row with the same
/// permissions, unless it contains a token.
pub fn result(committed: &Committed, caller: &Caller, token: Option<&str>) -> Arc<RawValue> {
    let permissions = committed.permissions(caller);
    let step = committed.rendered.step(&permissions);
    let render = || render_result(committed, entries_of(committed, &permissions, &step), token);
    match token {
        Some(_) => render(),
        None => step.result.get_or_init(render).clone(),
    }
}

fn render_result(
    committed: &Committed,
    entries: &RenderedEntries,
    token: Option<&str>,
) -> Arc<RawValue> {
    let instance = committed.instance;
    let result = StepResult {
        instance,
        status: committed.next.status.name(),
        outcome: committed.next.outcome.map(InstanceOutcome::name),
        nodes: &entries.nodes,
        actions: &entries.actions,
        more: MoreEntries::of(entries),
        ignored: committed.row.ignored.iter().map(String::as_str).collect(),
        children: children(instance, &committed.children),
        token,
    };
    to_raw(&result).into()
}

/// Nodes and actions of an observation, as the caller sees them.
pub fn observed_step<'a>(
    observed: &'a Observed,
    caller: &Caller,
) -> (Vec<NodeEntry<'a>>, Vec<ActionEntry<'a>>) {
    let (instance, process) = (observed.head().key, &observed.process.executable);
    let permissions = observed.permissions(caller);
    (
        nodes(instance, process, &observed.next, &permissions, usize::MAX),
        actions(instance, process, &observed.next, &permissions),
    )
}
