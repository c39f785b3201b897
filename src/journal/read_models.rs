//! Computes the changes of a row to the read models from its records and effects, in the step that
//! made them.
//!
//! Only changes are written. The rows: `listing`; their statements: the stores.

use super::{
    change::ReadModelChange,
    codec,
    http_call::{CallAttempts, HttpCallRow},
    in_use::Counted,
    job::JobRow,
    listing::{IncidentRow, InstanceRow, Owner, SearchedRow, TaskRow, TimerRow, TimerRowKey},
    store::StoreError,
};
use crate::{
    engine::{
        Effect, InstanceState, Record, RecordBatch,
        command::TimerKey,
        http_call::OutgoingCall,
        instance_outcome::outcome,
        job_status::JobStatus,
        record::{Incident, Migrated},
    },
    model::{
        executable::ExecutableProcess,
        http_request::url::authority,
        ids::{ElementKey, InstanceKey, Time},
        search_attributes::SearchedTexts,
    },
};

/// The read-model changes of a row, given the state after it, and the search values and counts of
/// its instance before it; a new instance was not counted.
///
/// # Errors
/// An HTTP call that cannot be encoded.
pub fn changes(
    process: &ExecutableProcess,
    before: &SearchedTexts,
    mut counted: Option<Counted>,
    state: &InstanceState,
    row: &RecordBatch,
    effects: &[Effect],
) -> Result<Vec<ReadModelChange>, StoreError> {
    let mut changes = Vec::new();
    let (mut instance_changed, mut status_changed) = (false, false);
    for (seq, record) in row.numbered() {
        match record {
            Record::Created(_) | Record::Ended { .. } | Record::Held | Record::Unheld => {
                (instance_changed, status_changed) = (true, true);
            }
            Record::OfferClosed { .. } => instance_changed |= !state.status().is_live(),
            Record::Migrated(migrated) => {
                let (from, revision) = (migrated.from.version, migrated.from.revision.clone());
                if let Some(counted) = &mut counted {
                    counted.moved_from = Some(Box::new((from, revision)));
                }
                instance_changed = true;
                moved(&mut changes, process, state, (migrated, row));
            }
            Record::DescendantsEnded => instance_changed = true,
            Record::Assigned { element, .. }
            | Record::TaskScheduled { element, .. }
            | Record::Reminded { element, .. } => {
                put_task(&mut changes, task(process, state, *element));
            }
            Record::ElementActivated { .. } | Record::Returned { .. } => {
                put_task(&mut changes, task(process, state, ElementKey(seq)));
            }
            Record::ElementCompleted { element, node, .. }
            | Record::ElementTerminated { element, node } => {
                let user_task = process
                    .node(node)
                    .is_some_and(|node| node.user_task().is_some());
                changes
                    .extend(user_task.then(|| ReadModelChange::TaskClosed(state.key(), *element)));
                if matches!(record, Record::ElementTerminated { .. }) {
                    changes.push(ReadModelChange::IncidentResolved(state.key(), *element));
                    instance_changed = true;
                }
            }
            Record::IncidentRaised { element, incident } => {
                changes.push(ReadModelChange::IncidentRaised(incident_row(
                    state, *element, incident, row,
                )));
                instance_changed = true;
            }
            Record::IncidentsResolved { element, .. } => {
                changes.push(ReadModelChange::IncidentResolved(state.key(), *element));
                instance_changed = true;
            }
            Record::DataMerged { .. }
            | Record::TokenMoved { .. }
            | Record::DataPatched { .. }
            | Record::VariablesDeclared { .. }
            | Record::DataReplaced { .. }
            | Record::FileStored(_)
            | Record::FlowArrived { .. }
            | Record::SubscriptionsOpened { .. }
            | Record::SubscriptionsRenewed { .. }
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
            | Record::Pushed(_)
            | Record::ViewReplaced { .. }
            | Record::ChildStarted(_)
            | Record::Loop(_)
            | Record::AdHoc(_)
            | Record::OutputsWritten { .. }
            | Record::MessageReceived { .. }
            | Record::ChildEnded { .. }
            | Record::ParentFinished
            | Record::MessageSent { .. }
            | Record::HttpCall(_)
            | Record::Decided { .. }
            | Record::ActionSkipped { .. }
            | Record::CallSkipped { .. } => {}
        }
    }
    changes.extend(effects.iter().filter_map(|effect| timer(state, effect)));
    for effect in effects {
        changes.extend(call_change(state, row, effect)?);
    }
    if instance_changed {
        changes.push(ReadModelChange::Instance(instance(state), counted));
    }
    if status_changed && process.definition.alias.is_some() {
        changes.push(ReadModelChange::Job(job(state, row.time)));
    }
    changes.extend(searched(process, before, state));
    Ok(changes)
}

/// The change of an HTTP call by an effect.
fn call_change(
    state: &InstanceState,
    row: &RecordBatch,
    effect: &Effect,
) -> Result<Option<ReadModelChange>, StoreError> {
    Ok(match effect {
        Effect::Call(call) => {
            let placed = http_call(state, call, row)?;
            Some(ReadModelChange::CallPlaced(Box::new(placed)))
        }
        Effect::ForgetCall(number) => Some(ReadModelChange::CallForgotten(state.key(), *number)),
        Effect::Send { .. }
        | Effect::Notify { .. }
        | Effect::SetTimer(_)
        | Effect::ClearTimer(_) => None,
    })
}

/// The search values of the instance that were added, and those that were removed.
fn searched<'a>(
    process: &'a ExecutableProcess,
    before: &'a SearchedTexts,
    state: &'a InstanceState,
) -> impl Iterator<Item = ReadModelChange> {
    let keys = &process.search_keys;
    keys.changes(before, keys.texts(state.data()))
        .map(|(path, text)| match text {
            Some(value) => ReadModelChange::SearchedSet(SearchedRow {
                instance: state.key(),
                path: path.to_owned(),
                tenant: state.head().tenant.clone(),
                value,
                created_at: state.created_at(),
            }),
            None => ReadModelChange::SearchedCleared(state.key(), path.to_owned()),
        })
}

/// The list row of an instance.
pub fn instance(state: &InstanceState) -> InstanceRow {
    let head = state.head();
    InstanceRow {
        key: head.key,
        tenant: head.tenant.clone(),
        process: head.process.id.clone(),
        version: head.process.version,
        revision: head.process.revision.clone(),
        status: state.status().name().to_owned(),
        outcome: outcome(state).map(|outcome| outcome.name().to_owned()),
        business_key: head.business_key.clone(),
        started_by: head.started_by.clone(),
        parent: head.parent.as_ref().map(|link| link.instance),
        root: head.root(),
        created_at: state.created_at(),
        ended_at: state.ended_at(),
        incidents: incidents(state),
        open_until: state.left_open_until(),
        descendants_ended: state.descendants_ended(),
        origin: head.origin.filter(|_| state.status().is_live()),
    }
}

/// How an instance is counted.
pub fn counted(state: &InstanceState) -> Counted {
    Counted {
        live: state.ended_at().is_none(),
        incidents: incidents(state),
        moved_from: None,
    }
}

/// The number of elements with an open incident.
fn incidents(state: &InstanceState) -> u32 {
    state
        .active()
        .filter(|(_, element)| !element.incidents().is_empty())
        .count() as u32
}

/// The row of a job whose status has just changed.
fn job(state: &InstanceState, now: Time) -> JobRow {
    let head = state.head();
    JobRow {
        instance: head.key,
        tenant: head.tenant.clone(),
        process: head.process.id.clone(),
        started_by: head.started_by.clone(),
        created_at: state.created_at(),
        status: JobStatus::of(state.status(), outcome(state)),
        status_at: now,
    }
}

/// Several records of a row may change the same task: it is written once.
fn put_task(changes: &mut Vec<ReadModelChange>, task: Option<ReadModelChange>) {
    if let Some(task) = task.filter(|task| !changes.contains(task)) {
        changes.push(task);
    }
}

/// The list rows of tasks, timers and incidents of an instance that now runs another version.
fn moved(
    changes: &mut Vec<ReadModelChange>,
    process: &ExecutableProcess,
    state: &InstanceState,
    (migrated, row): (&Migrated, &RecordBatch),
) {
    for (key, element) in state.active() {
        put_task(changes, task(process, state, key));
        let is_renamed = migrated.renamed.values().any(|to| to == element.node());
        if let Some(incident) = element.incidents().last().filter(|_| is_renamed) {
            let line = incident_row(state, key, incident, row);
            changes.push(ReadModelChange::IncidentRaised(line));
        }
    }
}

/// A task is listed only if it still waits after the row: a task that begins and ends within one
/// row is never visible.
fn task(
    process: &ExecutableProcess,
    state: &InstanceState,
    key: ElementKey,
) -> Option<ReadModelChange> {
    let element = state.element(key).filter(|element| element.is_active())?;
    let node = process
        .node(element.node())
        .filter(|node| node.user_task().is_some() && !element.is_whole(node))?;
    let lane = process.lane_of(node);
    let head = state.head();
    Some(ReadModelChange::TaskOpened(TaskRow {
        instance: head.key,
        element: key,
        tenant: head.tenant.clone(),
        process: head.process.id.clone(),
        business_key: head.business_key.clone(),
        node: node.id.to_string(),
        name: node.name.clone(),
        lane: lane.map(|lane| lane.id.clone()),
        assignee: element.assignee().map(|user| user.to_string()),
        candidates: lane.and_then(|lane| lane.execute.clone()),
        started_by: head.started_by.clone(),
        root_started_by: head.root_started_by().to_owned(),
        created_at: element.entered(),
        due_at: element.due(),
        reminded_at: element.reminded(),
        loop_counter: element.loop_counter(),
    }))
}

fn incident_row(
    state: &InstanceState,
    element: ElementKey,
    incident: &Incident,
    row: &RecordBatch,
) -> IncidentRow {
    IncidentRow {
        instance: state.key(),
        element,
        tenant: state.head().tenant.clone(),
        process: state.head().process.id.clone(),
        node: state
            .element(element)
            .map(|element| element.node().to_string())
            .unwrap_or_default(),
        code: incident.code.clone(),
        message: incident.message.clone(),
        raised_at: row.time,
    }
}

fn timer(state: &InstanceState, effect: &Effect) -> Option<ReadModelChange> {
    let instance = state.key();
    match effect {
        Effect::SetTimer(timer) => {
            let row = TimerRow {
                due: timer.due,
                key: timer_key(instance, &timer.key),
            };
            let head = state.head();
            let owner = Owner {
                tenant: head.tenant.clone(),
                process: head.process.id.clone(),
            };
            Some(ReadModelChange::TimerSet(row, owner))
        }
        Effect::ClearTimer(key) => Some(ReadModelChange::TimerCleared(timer_key(instance, key))),
        Effect::Send { .. } | Effect::Notify { .. } | Effect::Call(_) | Effect::ForgetCall(_) => {
            None
        }
    }
}

/// A call is due at once.
fn http_call(
    state: &InstanceState,
    call: &OutgoingCall,
    row: &RecordBatch,
) -> Result<HttpCallRow, StoreError> {
    let head = state.head();
    let url = call.request.url();
    Ok(HttpCallRow {
        instance: head.key,
        seq: call.number,
        tenant: head.tenant.clone(),
        process: head.process.id.clone(),
        node: call.node.as_ref().map(|node| node.to_string()),
        action: call.action.as_ref().map(|action| action.to_string()),
        host: authority(url).unwrap_or_default().to_lowercase(),
        url: url.to_owned(),
        body: codec::encode(&(&call.request, &row.trace))?,
        placed_at: row.time,
        tried: CallAttempts {
            due: Some(row.time),
            ..CallAttempts::default()
        },
    })
}

/// The stored identity of an instance's timer.
pub fn timer_key(instance: InstanceKey, timer: &TimerKey) -> TimerRowKey {
    TimerRowKey {
        instance,
        element: timer.element,
        kind: timer.kind.clone(),
        occurrence: timer.occurrence,
    }
}
