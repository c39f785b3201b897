//! Instances: start, list, look, children.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, Path, Payload},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    commands::{answer, command_id},
    json, query,
};
use crate::{
    engine::{access::Caller, record::Status, remark::Remark},
    journal::{InstanceFilter, InstanceRow},
    limits,
    model::ids::InstanceKey,
    runtime::ask::Observed,
    session::{
        frames::{
            body as fields,
            client::Start,
            server::OpenAction,
            step::{ActionEntry, ChildEntry, NodeEntry},
        },
        rendering, requests,
    },
    web::{
        app::App,
        asking::instance_key,
        body,
        listing::{read_cursor, visible_to, write_cursor},
        openapi::shared::{Applied, CommandRefused, IdempotencyKey, InstancePath},
        problem::Problem,
    },
};

/// `POST /v1/instances` `{"process","data","businessKey","startCondition","inheritFrom","nonce"}` → 201. Without a token only
/// processes with anonymous start; the answer then holds a token for the instance.
///
/// # Errors
/// Problems, as for the frame `start`.
#[utoipa::path(post, path = "/v1/instances", tag = "instances", summary = "Start an instance", params(IdempotencyKey),
    security((), ("bearer" = []), ("cookie" = [])), request_body = Start,
    responses(
        (status = 201, body = Applied, headers(("Location" = String, description = "The instance"))),
        (status = 401), (status = 429), (status = 500), (status = 503), CommandRefused,
    ))]
pub async fn start(request: HttpRequest, payload: Payload, app: Data<App>) -> Result<HttpResponse, Problem> {
    let who = app.who(&request)?;
    let id = command_id(&request)?;
    let text = body::json(&request, payload).await?;
    let start = requests::start(&fields::start(&text, id)?, &who)?;
    let (key, subject) = (start.key(), requests::subject_of_token(&start));
    let caller = start.caller.clone();
    let outcome = app.start(start).await?;
    let token = subject.and_then(|subject| requests::anonymous_token(&app.sessions.tokens, &subject, key));
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/v1/instances/{key}")));
    Ok(response.content_type("application/json").body(answer(&outcome, &caller, token.as_deref())))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListQuery {
    /// Only those of this process.
    process: Option<String>,
    /// Only those with this status.
    status: Option<String>,
    /// Only the one with this business key.
    business_key: Option<String>,
    /// Only those with a token at this node.
    node: Option<String>,
    /// How many at most; more than 100 count as 100.
    #[param(minimum = 0)]
    limit: Option<usize>,
    /// The `next` of an earlier answer: where to go on.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct List<'a> {
    instances: Vec<ListEntry<'a>>,
    #[schema(required)]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListEntry<'a> {
    instance: InstanceKey,
    process: &'a str,
    version: u32,
    #[schema(value_type = Status)]
    status: &'a str,
    #[schema(required)]
    business_key: Option<&'a str>,
    started_by: &'a str,
    #[schema(required)]
    parent: Option<InstanceKey>,
    root: InstanceKey,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    incidents: u32,
}

impl<'a> From<&'a InstanceRow> for ListEntry<'a> {
    fn from(row: &'a InstanceRow) -> Self {
        Self {
            instance: row.key,
            process: &row.process,
            version: row.version,
            status: &row.status,
            business_key: row.business_key.as_deref(),
            started_by: &row.started_by,
            parent: row.parent,
            root: row.root,
            created_at: row.created_at.to_string(),
            ended_at: row.ended_at.map(|time| time.to_string()),
            incidents: row.incidents,
        }
    }
}

/// `GET /v1/instances?process=&status=&businessKey=&node=&limit=&cursor=`: newest first. Operators see all of their tenant,
/// others what they started.
///
/// # Errors
/// 400 for unknown filters, 401, 403.
#[utoipa::path(get, path = "/v1/instances", tag = "instances", summary = "Instances, newest first", params(ListQuery),
    responses((status = 200, body = List), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Problem> {
    let who = app.bearer(&request)?;
    let asked: ListQuery = query(&request)?;
    let filter = InstanceFilter {
        process: asked.process,
        status: asked.status,
        business_key: asked.business_key,
        node: asked.node,
        ..visible_to(&who.caller)?
    };
    let after = asked.cursor.as_deref().map(read_cursor).transpose()?;
    let limit = asked.limit.unwrap_or(limits::LISTED).clamp(1, limits::LISTED);
    let part = app.list(filter, after, limit).await?;
    let instances = part.rows.iter().map(ListEntry::from).collect();
    Ok(json(StatusCode::OK, &List { instances, next: part.next.map(write_cursor) }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Look<'a> {
    instance: InstanceKey,
    seq: u64,
    process: &'a str,
    version: u32,
    #[schema(value_type = Status)]
    status: &'a str,
    /// How it went, once it has finished: `rejected` or `skipped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<&'static str>,
    #[schema(required)]
    business_key: Option<&'a str>,
    started_by: &'a str,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    /// Whether it is a test of a draft.
    test: bool,
    #[schema(required)]
    parent: Option<InstanceKey>,
    root: InstanceKey,
    nodes: Vec<NodeEntry<'a>>,
    actions: Vec<ActionEntry<'a>>,
    children: Vec<ChildEntry<'a>>,
    #[schema(value_type = Object)]
    view: &'a Value,
    open: Vec<OpenAction<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    data: Option<&'a Value>,
}

/// `GET /v1/instances/{key}`: where it stands. Its whole data for operators only.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}", tag = "instances", summary = "Where an instance stands", params(InstancePath),
    responses((status = 200, body = Look), (status = 404)))]
pub async fn get(request: HttpRequest, path: Path<String>, app: Data<App>) -> Result<HttpResponse, Problem> {
    let who = app.bearer(&request)?;
    let observed = app.observe(instance_key(&path)?, &who.caller, true).await?;
    Ok(json(StatusCode::OK, &look(&observed, &who.caller)))
}

fn look<'a>(observed: &'a Observed, caller: &Caller) -> Look<'a> {
    let head = observed.head();
    let (nodes, actions) = rendering::observed_step(observed, caller);
    let whole = observed.whole.as_ref();
    Look {
        instance: head.key,
        seq: observed.seq,
        process: &head.process.id,
        version: head.process.version,
        status: observed.next.status.name(),
        remark: observed.next.remark.map(Remark::name),
        business_key: head.business_key.as_deref(),
        started_by: &head.started_by,
        created_at: observed.created_at.to_string(),
        expires_at: head.expires_at.map(|time| time.to_string()),
        test: head.test,
        ended_at: observed.ended_at.map(|time| time.to_string()),
        parent: head.parent.as_ref().map(|link| link.instance),
        root: head.root,
        nodes,
        actions,
        children: rendering::children(head.key, &observed.children),
        view: whole.map_or(&Value::Null, |whole| &whole.view),
        open: whole.into_iter().flat_map(|whole| &whole.open).map(|(&seq, body)| OpenAction { seq, body }).collect(),
        data: whole.filter(|_| caller.operator).map(|whole| &whole.data),
    }
}

#[derive(Serialize, ToSchema)]
struct Children<'a> {
    children: Vec<ChildEntry<'a>>,
}

/// `GET /v1/instances/{key}/children`: live and ended ones.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/children", tag = "instances", summary = "The children of an instance", params(InstancePath),
    responses((status = 200, body = Children), (status = 404)))]
pub async fn children(request: HttpRequest, path: Path<String>, app: Data<App>) -> Result<HttpResponse, Problem> {
    let who = app.bearer(&request)?;
    let observed = app.observe(instance_key(&path)?, &who.caller, false).await?;
    Ok(json(StatusCode::OK, &Children { children: rendering::children(observed.head().key, &observed.children) }))
}
