//! Instances: start, look, children. Lists of them: `instance_list`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, Path, Payload},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    commands::{answer, command_id},
    history::PartQuery,
    json, query,
    subscriptions::{SubscriptionEntry, entries},
};
use crate::{
    engine::{access::Caller, instance_outcome::InstanceOutcome, record::Status},
    model::ids::InstanceKey,
    runtime::instance_request::Observed,
    session::protocol::{
        body as fields,
        client::Start,
        rendering,
        server::OpenAction,
        step::{ActionEntry, ChildEntry, NodeEntry},
        to_command,
    },
    web::{
        http::{app::App, body, problem::Problem},
        instance_client::instance_key,
        openapi::shared::{Applied, CommandRefused, IdempotencyKey, InstancePath},
        rest::listing::cut,
    },
};

/// `POST /v1/instances` `{"process","data","businessKey","startCondition","inheritFrom","nonce"}` →
/// 201. Without a token only processes with anonymous start; the answer then holds a token for the
/// instance.
///
/// # Errors
/// Problems, as for the frame `start`.
#[utoipa::path(post, path = "/v1/instances", tag = "instances", operation_id = "startInstance", summary = "Start \
    an instance", params(IdempotencyKey),
    security((), ("bearer" = []), ("cookie" = [])), request_body = Start,
    responses(
        (status = 201, body = Applied, headers(("Location" = String, description = "The instance"))),
        (status = 401), (status = 500), (status = 503), CommandRefused,
    ))]
pub async fn start(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Problem> {
    let principal = app.principal(&request)?;
    let id = command_id(&request)?;
    let text = body::json(&request, payload).await?;
    let read = body::read_elsewhere(text, move |text| fields::start(text, id)).await?;
    let mut start = to_command::start(&read?, &principal)?;
    app.admit_start(&request, &principal, &mut start)?;
    let (key, subject) = (start.key(), to_command::subject_of_token(&start));
    let caller = start.caller.clone();
    let outcome = app.start(start).await?;
    let token = subject
        .and_then(|subject| to_command::anonymous_token(&app.sessions.tokens, &subject, key));
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/v1/instances/{key}")));
    Ok(response
        .content_type("application/json")
        .body(answer(&outcome, &caller, token.as_deref())))
}

/// Where an instance stands, for who asks.
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
    outcome: Option<&'static str>,
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
    /// The events it waits for; for operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    subscriptions: Option<Vec<SubscriptionEntry>>,
}

/// `GET /v1/instances/{key}`: where it stands. Its whole data, and what it waits for, for
/// operators only.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}", tag = "instances", operation_id = "getInstance", summary = "Read \
    where an instance stands", params(InstancePath),
    responses((status = 200, body = Look), (status = 404)))]
pub async fn get(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, Problem> {
    let principal = app.bearer(&request)?;
    let observed = app
        .observe(instance_key(&path)?, &principal.caller, true)
        .await?;
    Ok(json(StatusCode::OK, &look(&observed, &principal.caller)))
}

fn look<'a>(observed: &'a Observed, caller: &Caller) -> Look<'a> {
    let head = observed.head();
    let (nodes, actions) = rendering::observed_step(observed, caller);
    let whole = observed.whole.as_ref();
    let for_operators = whole.filter(|_| caller.operator);
    Look {
        instance: head.key,
        seq: observed.seq,
        process: &head.process.id,
        version: head.process.version,
        status: observed.next.status.name(),
        outcome: observed.next.outcome.map(InstanceOutcome::name),
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
        open: whole
            .into_iter()
            .flat_map(|whole| &whole.open)
            .map(OpenAction::from)
            .collect(),
        data: for_operators.map(|whole| &whole.data),
        subscriptions: for_operators.map(|whole| entries(head.key, &whole.subscriptions)),
    }
}

/// A part of an instance's children, in the order they were started.
#[derive(Serialize, ToSchema)]
#[schema(as = ChildList)]
struct Children<'a> {
    children: Vec<ChildEntry<'a>>,
    /// Where to go on, when there are more.
    next: Option<u64>,
}

/// `GET /v1/instances/{key}/children?after=&limit=` → `{"children","next"}`: live and ended ones.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/children", tag = "instances", operation_id = "listChildren", summary = "List \
    the children of an instance",
    params(InstancePath, PartQuery), responses((status = 200, body = Children), (status = 404)))]
pub async fn children(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, Problem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let asked: PartQuery = query(request.query_string())?;
    let length = asked.length()?;
    let observed = app.observe(key, &principal.caller, false).await?;
    let mut part: Vec<_> = observed
        .children
        .iter()
        .filter(|child| asked.after.is_none_or(|after| child.seq > after))
        .collect();
    part.sort_by_key(|child| child.seq);
    let next = cut(&mut part, length).map(|child| child.seq);
    Ok(json(
        StatusCode::OK,
        &Children {
            children: rendering::children(key, part),
            next,
        },
    ))
}
