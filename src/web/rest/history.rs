//! What happened in an instance: the visits of its nodes, and the messages it pushed. Read from its log.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{json, query};
use crate::{
    engine::{
        Record, Row,
        record::{Arrival, Push},
    },
    limits,
    model::{
        action::MessageType,
        executable::ExecutableProcess,
        ids::{ElementKey, InstanceKey, Time},
    },
    web::{app::App, asking::instance_key, openapi::shared::InstancePath, problem::Problem},
};

#[derive(Serialize, ToSchema)]
struct History<'a> {
    elements: Vec<Visit<'a>>,
    flows: BTreeSet<&'a str>,
    truncated: bool,
}

/// One visit of a node.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Visit<'a> {
    element: String,
    node: &'a str,
    name: &'a str,
    r#type: &'a str,
    /// `Activated`, `Completed` or `Terminated`.
    #[schema(pattern = "^(Activated|Completed|Terminated)$")]
    lifecycle: &'static str,
    #[schema(format = DateTime)]
    activated_at: String,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision<'a>>,
}

/// A decision in an approval.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct Decision<'a> {
    #[schema(examples("approved", "rejected"))]
    decision: &'static str,
    by: Option<&'a str>,
    #[schema(format = DateTime)]
    at: String,
    comment: Option<&'a str>,
}

/// `GET /v1/instances/{key}/history` → `{"elements","flows","truncated"}`: visits in their order, and the flows taken.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/history", tag = "instances", summary = "Where an instance has been",
    params(InstancePath), responses((status = 200, body = History), (status = 404)))]
pub async fn history(request: HttpRequest, path: Path<String>, app: Data<App>) -> Result<HttpResponse, Problem> {
    let who = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let observed = app.observe(key, &who.caller, false).await?;
    let rows = app.rows(key, 0, limits::HISTORY_ROWS).await?;
    Ok(json(StatusCode::OK, &told(key, &observed.process.executable, &rows)))
}

fn told<'a>(key: InstanceKey, process: &'a ExecutableProcess, rows: &'a [Row]) -> History<'a> {
    let mut visits = BTreeMap::new();
    let mut flows = BTreeSet::new();
    for row in rows {
        for (seq, record) in row.numbered() {
            match record {
                Record::ElementActivated { node, arrivals } => {
                    flows.extend(arrivals.iter().map(|arrival: &Arrival| &*arrival.flow));
                    visits.insert(ElementKey(seq), visit(key, ElementKey(seq), process, node, row.time));
                }
                Record::Returned { node, .. } => {
                    visits.insert(ElementKey(seq), visit(key, ElementKey(seq), process, node, row.time));
                }
                Record::Decided { element, approved, comment } => {
                    let decision = if *approved { "approved" } else { "rejected" };
                    let (by, at) = (row.by.as_deref(), row.time.to_string());
                    let decided = Decision { decision, by, at, comment: comment.as_deref() };
                    visits.entry(*element).and_modify(|visit| visit.decisions.push(decided));
                }
                Record::FlowArrived { arrival, .. } => drop(flows.insert(&*arrival.flow)),
                Record::ElementCompleted { element, .. } => end(visits.get_mut(element), "Completed", row.time),
                Record::ElementTerminated { element, .. } => end(visits.get_mut(element), "Terminated", row.time),
                _ => {}
            }
        }
    }
    History { elements: visits.into_values().collect(), flows, truncated: rows.len() == limits::HISTORY_ROWS }
}

fn visit<'a>(key: InstanceKey, element: ElementKey, process: &'a ExecutableProcess, node: &'a str, at: Time) -> Visit<'a> {
    let known = process.node(node);
    Visit {
        element: element.wire(key),
        node,
        name: known.map_or("", |node| &node.name),
        r#type: known.map_or("", |node| node.kind.bpmn_name()),
        lifecycle: "Activated",
        activated_at: at.to_string(),
        ended_at: None,
        decisions: Vec::new(),
    }
}

fn end(visit: Option<&mut Visit<'_>>, lifecycle: &'static str, at: Time) {
    if let Some(visit) = visit {
        visit.lifecycle = lifecycle;
        visit.ended_at = Some(at.to_string());
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct MessagesQuery {
    /// Only what was pushed after this number.
    after: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct Messages<'a> {
    messages: Vec<Message<'a>>,
    /// Where to go on, when there may be more.
    #[schema(required)]
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct Message<'a> {
    seq: u64,
    /// `data`, `action` or `view`.
    #[schema(pattern = "^(data|action|view)$")]
    kind: &'static str,
    #[schema(required)]
    node: Option<&'a str>,
    #[schema(required)]
    action: Option<&'a str>,
    #[schema(required)]
    origin: Option<InstanceKey>,
    #[schema(format = DateTime)]
    at: String,
    #[schema(value_type = Object)]
    body: &'a Value,
}

/// `GET /v1/instances/{key}/messages?after=SEQ` → `{"messages","next"}`: what was pushed after a number, oldest first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/messages", tag = "instances", summary = "What an instance has pushed",
    params(InstancePath, MessagesQuery), responses((status = 200, body = Messages), (status = 404)))]
pub async fn messages(request: HttpRequest, path: Path<String>, app: Data<App>) -> Result<HttpResponse, Problem> {
    let who = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let after = query::<MessagesQuery>(&request)?.after.unwrap_or(0);
    app.observe(key, &who.caller, false).await?;
    let rows = app.rows(key, after, limits::REPLAY_FRAMES).await?;
    let next = rows.last().filter(|_| rows.len() == limits::REPLAY_FRAMES).map(Row::last_seq);
    let all = rows.iter().flat_map(|row| row.numbered().filter_map(|(seq, record)| message(seq, row.time, record)));
    Ok(json(StatusCode::OK, &Messages { messages: all.filter(|message| message.seq > after).collect(), next }))
}

fn message(seq: u64, at: Time, record: &Record) -> Option<Message<'_>> {
    match record {
        Record::Pushed(push) => Some(pushed(seq, at, push)),
        Record::ViewReplaced { body } => {
            Some(Message { seq, kind: "view", node: None, action: None, origin: None, at: at.to_string(), body })
        }
        _ => None,
    }
}

fn pushed(seq: u64, at: Time, push: &Push) -> Message<'_> {
    let kind = if push.kind == MessageType::Action { "action" } else { "data" };
    let (node, action) = (Some(push.node.as_str()), Some(push.action.as_str()));
    Message { seq, kind, node, action, origin: push.origin, at: at.to_string(), body: &push.body }
}
