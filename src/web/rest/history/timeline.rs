//! The timeline of an instance: its records, one by one, for operators.
//!
//! Not here: the effects of records (`engine::state::apply`), the state after one (`GET
//! /v1/instances/{key}?at=`).

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::PartQuery;
use crate::{
    engine::{
        Record, RecordBatch,
        record::{AdHocRecord, LoopRecord, MultipleRecord, Subscriber},
    },
    model::{
        event_definition::EventRef,
        ids::{ElementKey, InstanceKey},
    },
    web::{
        http::{app::App, problem::HttpProblem},
        instance_client::instance_key,
        openapi::shared::InstancePath,
        rest::{
            json,
            listing::{cut, require_operator},
            query,
        },
    },
};

/// A part of an instance's records, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordList)]
struct Records<'a> {
    records: Vec<RecordEntry<'a>>,
    /// The `after` of the next part, if there may be more.
    #[schema(required)]
    next: Option<u64>,
}

/// One record.
#[derive(Serialize, ToSchema)]
struct RecordEntry<'a> {
    /// Its number.
    seq: u64,
    /// The number that its command ended with: `?at=` with this number gives the state then.
    moment: u64,
    #[schema(format = DateTime)]
    at: String,
    /// The user of the command; null for the server itself.
    #[schema(required)]
    by: Option<&'a str>,
    /// The trace that the command named (W3C Trace Context).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    traceparent: Option<&'a str>,
    /// The kind of the record, such as `elementActivated`. More kinds may be added.
    kind: &'static str,
    /// Its element.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    element: Option<String>,
    /// Its node, if the record has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    node: Option<&'a str>,
    /// Its action.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    action: Option<&'a str>,
    /// A further detail, such as the code of an incident or the key of a child.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    about: Option<String>,
}

/// `GET /v1/instances/{key}/records?after=SEQ&limit=` → `{"records","next"}`: records after a
/// number, oldest first. For operators.
///
/// # Errors
/// 400, 401, 403 without role operator or admin, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/records", tag = "instances", operation_id = "listRecords", summary = "List \
    what happened in an instance",
    params(InstancePath, PartQuery), responses((status = 200, body = Records), (status = 403), (status = 404)))]
pub async fn records(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    require_operator(&principal.caller)?;
    let key = instance_key(&path)?;
    let parameters: PartQuery = query(request.query_string())?;
    let (after, length) = (parameters.after.unwrap_or(0), parameters.length()?);
    app.observe(key, &principal.caller, false).await?;
    // A row has at least one record, so these suffice for the part and one record more.
    let (rows, is_cut) = app.rows(&principal.caller, key, after, length + 1).await?;
    let all = rows.iter().flat_map(|row| {
        row.numbered()
            .map(move |(seq, record)| entry(key, row, seq, record))
    });
    let mut records: Vec<RecordEntry<'_>> = all
        .filter(|record| record.seq > after)
        .take(length + 1)
        .collect();
    let unread = rows.last().filter(|_| is_cut).map(RecordBatch::last_seq);
    let next = cut(&mut records, length)
        .map(|record| record.seq)
        .or(unread);
    Ok(json(StatusCode::OK, &Records { records, next }))
}

/// The parts of an entry: kind, element, node, action, and a further detail.
type About<'a> = (
    &'static str,
    Option<ElementKey>,
    Option<&'a str>,
    Option<&'a str>,
    Option<String>,
);

fn entry<'a>(
    key: InstanceKey,
    row: &'a RecordBatch,
    seq: u64,
    record: &'a Record,
) -> RecordEntry<'a> {
    let (kind, element, node, action, about) = about(seq, record);
    RecordEntry {
        seq,
        moment: row.last_seq(),
        at: row.time.to_string(),
        by: row.by.as_deref(),
        traceparent: row.trace.as_ref().map(|trace| trace.parent.as_str()),
        kind,
        element: element.map(|element| element.wire(key)),
        node,
        action,
        about,
    }
}

fn waiting(by: &Subscriber) -> Option<ElementKey> {
    match by {
        Subscriber::Element(element) => Some(*element),
        Subscriber::Scope(scope) => *scope,
    }
}

fn text(about: impl ToString) -> Option<String> {
    Some(about.to_string())
}

/// The entry of an event with several definitions.
fn several(record: &MultipleRecord) -> About<'_> {
    let named = |events: Vec<&EventRef>| {
        let events = events.iter().map(ToString::to_string);
        text(events.collect::<Vec<_>>().join(", "))
    };
    match record {
        MultipleRecord::Occurred { by, event, .. } => (
            "eventDefinitionOccurred",
            waiting(by),
            Some(&event.node),
            None,
            named(vec![event]),
        ),
        MultipleRecord::Closed { by, events } => (
            "subscriptionsClosed",
            waiting(by),
            None,
            None,
            named(events.iter().collect()),
        ),
        MultipleRecord::Reopened { by, subscriptions } => (
            "subscriptionsOpened",
            waiting(by),
            None,
            None,
            named(subscriptions.iter().map(|(event, _)| event).collect()),
        ),
    }
}

fn about(seq: u64, record: &Record) -> About<'_> {
    let at = |kind, element: &ElementKey| (kind, Some(*element), None, None, None);
    match record {
        Record::Created(created) => ("created", None, None, None, text(&created.process.id)),
        Record::DataMerged { by, child, .. } => (
            "dataMerged",
            *by,
            None,
            None,
            child.map(|child| child.to_string()),
        ),
        Record::DataPatched { scope, .. } => ("dataPatched", *scope, None, None, None),
        Record::VariablesDeclared { element, .. } => at("variablesDeclared", element),
        Record::DataReplaced { scope, .. } => ("dataReplaced", *scope, None, None, None),
        Record::FileStored(file) => ("fileStored", None, None, None, text(&file.name)),
        Record::FlowArrived {
            scope,
            node,
            arrival,
        } => ("flowArrived", *scope, Some(node), None, text(&arrival.flow)),
        Record::ElementActivated {
            node, loop_counter, ..
        } => (
            "elementActivated",
            Some(ElementKey(seq)),
            Some(node),
            None,
            loop_counter.map(|counter| counter.to_string()),
        ),
        Record::ElementCompleted { element, node, .. } => {
            ("elementCompleted", Some(*element), Some(node), None, None)
        }
        Record::ElementTerminated { element, node } => {
            ("elementTerminated", Some(*element), Some(node), None, None)
        }
        Record::SubscriptionsOpened { by, subscriptions } => {
            let events = subscriptions.iter().map(|(event, _)| event.to_string());
            let nodes: Vec<String> = events.collect();
            (
                "subscriptionsOpened",
                waiting(by),
                None,
                None,
                text(nodes.join(", ")),
            )
        }
        Record::SubscriptionTriggered { by, event, .. } => (
            "subscriptionTriggered",
            waiting(by),
            Some(&event.node),
            None,
            None,
        ),
        Record::Multiple(record) => several(record),
        Record::DeliveryHeld(_) => ("deliveryHeld", None, None, None, None),
        Record::CorrelationNotified { correlation, .. } => (
            "correlationNotified",
            None,
            None,
            None,
            text(correlation.name()),
        ),
        Record::ErrorThrown { element, code, .. } => {
            ("errorThrown", Some(*element), None, None, text(code))
        }
        Record::EscalationThrown { element, code, .. } => {
            ("escalationThrown", Some(*element), None, None, text(code))
        }
        Record::CompensationThrown { by, .. } => at("compensationThrown", by),
        Record::CompensationStarted { element, .. } => at("compensationStarted", element),
        Record::CompensationCompleted { element } => at("compensationCompleted", element),
        Record::TransactionCancelled { element } => at("transactionCancelled", element),
        Record::ConditionReset { by, event } => {
            ("conditionReset", waiting(by), Some(&event.node), None, None)
        }
        Record::ScopeInterrupted { scope, node } => {
            ("scopeInterrupted", *scope, Some(node), None, None)
        }
        Record::WaitingFlowsCleared { scope } => ("waitingFlowsCleared", *scope, None, None, None),
        Record::ActionStarted {
            element,
            action,
            due,
            ..
        } => (
            "actionStarted",
            Some(*element),
            None,
            Some(action),
            due.map(|due| due.to_string()),
        ),
        Record::ActionCompleted {
            element, action, ..
        } => ("actionCompleted", Some(*element), None, Some(action), None),
        Record::Pushed(push) => (
            "pushed",
            push.element,
            Some(&push.node),
            Some(&push.action),
            push.origin.map(|origin| origin.to_string()),
        ),
        Record::OfferClosed { seq } => ("offerClosed", None, None, None, text(seq)),
        Record::ViewReplaced { .. } => ("viewReplaced", None, None, None, None),
        Record::Returned { node, action, .. } => (
            "returned",
            Some(ElementKey(seq)),
            Some(node),
            Some(action),
            None,
        ),
        Record::ChildStarted(child) => {
            ("childStarted", child.element, None, None, text(child.child))
        }
        Record::Loop(looped) => match &**looped {
            LoopRecord::Begun {
                element, instances, ..
            } => (
                "loopBegun",
                Some(*element),
                None,
                None,
                instances.map(|instances| instances.to_string()),
            ),
            LoopRecord::Result {
                element, iteration, ..
            } => ("loopResult", Some(*element), None, None, text(iteration)),
            LoopRecord::Stopped { element } => at("loopStopped", element),
        },
        Record::MessageReceived { from, .. } => ("messageReceived", None, None, None, text(from)),
        Record::ChildEnded { child, .. } => ("childEnded", None, None, None, text(child)),
        Record::ParentFinished => ("parentFinished", None, None, None, None),
        Record::DescendantsEnded => ("descendantsEnded", None, None, None, None),
        Record::MessageSent { target, .. } => ("messageSent", None, None, None, text(target)),
        Record::HttpCall(_) => ("httpCall", None, None, None, None),
        Record::IncidentRaised { element, incident } => (
            "incidentRaised",
            Some(*element),
            None,
            incident.action.as_ref().map(|(action, _)| &**action),
            text(&incident.code),
        ),
        Record::Assigned { element, user } => (
            "assigned",
            Some(*element),
            None,
            None,
            user.as_ref().map(ToString::to_string),
        ),
        Record::TaskScheduled { element, due, .. } => {
            ("taskScheduled", Some(*element), None, None, text(due))
        }
        Record::Reminded { element, .. } => at("reminded", element),
        Record::Decided {
            element, approved, ..
        } => (
            "decided",
            Some(*element),
            None,
            None,
            text(if *approved { "approved" } else { "rejected" }),
        ),
        Record::ActionSkipped {
            element, action, ..
        } => ("actionSkipped", Some(*element), None, Some(action), None),
        Record::CallSkipped { element } => at("callSkipped", element),
        Record::AdHoc(AdHocRecord::Opened { element }) => at("adHocOpened", element),
        Record::AdHoc(AdHocRecord::Fulfilled { element }) => at("adHocFulfilled", element),
        Record::OutputsWritten { element } => at("outputsWritten", element),
        Record::TokenMoved { element, node } => {
            ("tokenMoved", Some(*element), None, None, text(node))
        }
        Record::Migrated(migrated) => ("migrated", None, None, None, text(migrated.to.version)),
        Record::SubscriptionsRenewed { by, subscriptions } => {
            let nodes = subscriptions
                .iter()
                .map(|renewed| renewed.event.to_string());
            let nodes = nodes.collect::<Vec<_>>().join(", ");
            (
                "subscriptionsRenewed",
                by.element(),
                None,
                None,
                text(nodes),
            )
        }
        Record::Held => ("held", None, None, None, None),
        Record::Unheld => ("unheld", None, None, None, None),
        Record::IncidentsResolved { element, skipped } => (
            "incidentsResolved",
            Some(*element),
            None,
            None,
            text(if *skipped { "skipped" } else { "retried" }),
        ),
        Record::GatewayStateChanged { .. } => ("gateway", None, None, None, None),
        Record::Ended { status } => ("ended", None, None, None, text(status.name())),
    }
}
