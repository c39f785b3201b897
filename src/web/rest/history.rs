//! The history of an instance: visits of its nodes, and the messages it pushed. Read from its log,
//! part by part.

mod builder;
mod entries;
pub mod timeline;

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use self::{
    builder::HistoryBuilder,
    entries::{PatchedData, Visit},
};
use super::{json, query};
use crate::{
    engine::{Record, RecordBatch, record::Push},
    limits,
    model::{
        action::MessageType,
        ids::{InstanceKey, Time},
    },
    web::{
        http::{app::App, problem::HttpProblem},
        instance_client::instance_key,
        openapi::shared::InstancePath,
        rest::listing::{cut, length_up_to},
    },
};

/// The part to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PartQuery {
    /// The number to continue after: the `next` of the previous part.
    pub after: Option<u64>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl PartQuery {
    /// The limit of entries.
    ///
    /// # Errors
    /// 400.
    pub fn length(&self) -> Result<usize, HttpProblem> {
        length_up_to(limits::HISTORY_PART, self.limit)
    }
}

/// A part of an instance's history, oldest first.
#[derive(Serialize, ToSchema)]
struct History<'a> {
    elements: Vec<Visit<'a>>,
    /// The flows taken meanwhile.
    flows: BTreeSet<&'a str>,
    /// The corrections of the data by operators meanwhile.
    patches: Vec<PatchedData<'a>>,
    /// Whether the end of a visit that is shown as active may lie beyond the rows that were read.
    truncated: bool,
    /// The `after` of the next part, if there may be more.
    next: Option<u64>,
}

/// `GET /v1/instances/{key}/history?after=&limit=` →
/// `{"elements","flows","patches","truncated","next"}`: visits in order, the flows taken, and
/// corrections of the data.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/history", tag = "instances", operation_id = "getHistory", summary = "Read \
    the visits of an instance's nodes",
    params(InstancePath, PartQuery), responses((status = 200, body = History), (status = 404)))]
pub async fn history(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let parameters: PartQuery = query(request.query_string())?;
    let (after, length) = (parameters.after.unwrap_or(0), parameters.length()?);
    let observed = app.observe(key, &principal.caller, false).await?;
    let (rows, truncated) = app
        .rows(&principal.caller, key, after, limits::HISTORY_ROWS)
        .await?;
    let mut history =
        HistoryBuilder::new(key, &observed.process.executable, principal.caller.operator);
    let whole = history.add_rows(&rows, after, length);
    let next = if whole {
        rows.last().filter(|_| truncated).map(RecordBatch::last_seq)
    } else {
        history.last()
    };
    let elements = history.visits.into_values().collect();
    let patches = history
        .patches
        .into_iter()
        .filter(|patch| whole || Some(patch.seq) < next)
        .collect();
    Ok(json(
        StatusCode::OK,
        &History {
            elements,
            flows: history.flows,
            patches,
            truncated,
            next,
        },
    ))
}

/// A part of the messages that an instance pushed, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageList)]
struct Messages<'a> {
    messages: Vec<Message<'a>>,
    /// The `after` of the next part, if there may be more.
    #[schema(required)]
    next: Option<u64>,
}

/// A pushed message.
#[derive(Serialize, ToSchema)]
#[schema(as = PushedMessage)]
struct Message<'a> {
    seq: u64,
    /// `data`, `action` or `view`.
    #[schema(pattern = "^(data|action|view)$")]
    kind: &'static str,
    #[schema(required)]
    node: Option<&'a str>,
    #[schema(required)]
    action: Option<&'a str>,
    /// The child that sent it to this instance.
    #[schema(required)]
    origin: Option<InstanceKey>,
    #[schema(format = DateTime)]
    at: String,
    body: &'a Value,
}

/// `GET /v1/instances/{key}/messages?after=SEQ&limit=` → `{"messages","next"}`: messages pushed
/// after a number, oldest first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/messages", tag = "instances", operation_id = "listMessages", summary = "List \
    the messages an instance pushed",
    params(InstancePath, PartQuery), responses((status = 200, body = Messages), (status = 404)))]
pub async fn messages(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let parameters: PartQuery = query(request.query_string())?;
    let (after, length) = (parameters.after.unwrap_or(0), parameters.length()?);
    app.observe(key, &principal.caller, false).await?;
    let (rows, is_cut) = app
        .rows(&principal.caller, key, after, limits::REPLAY_FRAMES)
        .await?;
    let all = rows.iter().flat_map(|row| {
        row.numbered()
            .filter_map(|(seq, record)| message(seq, row.time, record))
    });
    let mut messages: Vec<Message<'_>> = all
        .filter(|message| message.seq > after)
        .take(length + 1)
        .collect();
    let unread = rows.last().filter(|_| is_cut).map(RecordBatch::last_seq);
    let next = cut(&mut messages, length)
        .map(|message| message.seq)
        .or(unread);
    Ok(json(StatusCode::OK, &Messages { messages, next }))
}

fn message(seq: u64, at: Time, record: &Record) -> Option<Message<'_>> {
    match record {
        Record::Pushed(push) => Some(pushed(seq, at, push)),
        Record::ViewReplaced { body } => Some(Message {
            seq,
            kind: "view",
            node: None,
            action: None,
            origin: None,
            at: at.to_string(),
            body,
        }),
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
        | Record::ChildStarted(_)
        | Record::Loop(_)
        | Record::AdHoc(_)
        | Record::OutputsWritten { .. }
        | Record::MessageReceived { .. }
        | Record::ChildEnded { .. }
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

fn pushed(seq: u64, at: Time, push: &Push) -> Message<'_> {
    let kind = if push.kind == MessageType::Action {
        "action"
    } else {
        "data"
    };
    let (node, action) = (Some(push.node.as_str()), Some(push.action.as_str()));
    Message {
        seq,
        kind,
        node,
        action,
        origin: push.origin,
        at: at.to_string(),
        body: &push.body,
    }
}
