//! Instances: start, read, children. Lists of them: `instance_list`.

use std::sync::Arc;

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
    history::PartQuery,
    json, json_text, query,
    subscriptions::{SubscriptionEntry, entries},
};
use crate::{
    engine::{access::Caller, instance_outcome::InstanceOutcome, record::Status},
    journal::snapshot,
    limits,
    model::{deep_merge::exceeds_values, ids::InstanceKey},
    runtime::{
        instance_request::{Observed, Refusal},
        past,
    },
    session::protocol::{
        body as fields,
        client::Start,
        code::ErrorCode,
        rendering,
        server::OpenAction,
        step::{ActionEntry, ChildEntry, NodeEntry},
        to_command,
    },
    thread_priority::beside_in,
    web::{
        http::{app::App, body, problem::HttpProblem},
        instance_client::instance_key,
        openapi::shared::{Applied, CommandRefused, IdempotencyKey, InstancePath},
        rest::listing::{cut, require_operator},
    },
};

/// `POST /v1/instances` `{"process","data","businessKey","startCondition","inheritFrom","nonce"}` →
/// 201. Without a token only processes with anonymous start may be started; the response then
/// contains a token for the instance.
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
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.principal(&request)?;
    let id = command_id(&request)?;
    let by = principal.clone();
    let read = move |text: &str| -> Result<_, HttpProblem> {
        Ok(to_command::start(&fields::start(text, id)?, &by)?)
    };
    let mut start = body::json(&request, payload, read).await??;
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

/// The state of an instance for a caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceState<'a> {
    instance: InstanceKey,
    seq: u64,
    process: &'a str,
    version: u32,
    #[schema(value_type = Status)]
    status: &'a str,
    /// The outcome, once it has finished: `rejected` or `skipped`.
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

/// The moment of an instance to read.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct MomentQuery {
    /// The number of an earlier record: the response is the state after the last command up to it.
    /// For operators.
    at: Option<u64>,
}

/// `GET /v1/instances/{key}?at=`: its state now or earlier. Its whole data, and the events that it
/// waits for, only for operators.
///
/// # Errors
/// 400, 401, 403 for an earlier moment without role operator or admin, 404, 413 if too many rows
/// precede the moment.
#[utoipa::path(get, path = "/v1/instances/{key}", tag = "instances", operation_id = "getInstance", summary = "Read \
    the state of an instance, present or past", params(InstancePath, MomentQuery),
    responses((status = 200, body = InstanceState), (status = 403), (status = 404), (status = 413)))]
pub async fn get(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let parameters: MomentQuery = query(request.query_string())?;
    if parameters.at.is_some() {
        require_operator(&principal.caller)?;
    }
    let now = app
        .observe(key, &principal.caller, parameters.at.is_none())
        .await?;
    let observed = match parameters.at {
        Some(at) => moment(&app, &principal.caller, &now, at).await?,
        None => now,
    };
    if !is_large(&observed) {
        return Ok(json(
            StatusCode::OK,
            &instance_state(&observed, &principal.caller),
        ));
    }
    let caller = principal.caller;
    let text = body::on_pool(&request, move || {
        serde_json::to_string(&instance_state(&observed, &caller))
    });
    let text = text.await?.map_err(|_| Refusal::Internal)?;
    Ok(json_text(StatusCode::OK, text))
}

/// Whether writing it takes long: it has many values or elements.
fn is_large(observed: &Observed) -> bool {
    let maximum = limits::VALUES_ON_ARBITER;
    observed.next.tokens.len() > limits::LISTED_ELEMENTS
        || observed.whole.as_ref().is_some_and(|whole| {
            exceeds_values(&whole.data, maximum) || exceeds_values(&whole.view, maximum)
        })
}

/// An instance at an earlier moment: folded without its actor, few at a time.
async fn moment(
    app: &App,
    caller: &Caller,
    now: &Observed,
    at: u64,
) -> Result<Arc<Observed>, HttpProblem> {
    let by = Some(caller.taker());
    let turn = app.sessions.runtime.folds.turn(by).await;
    let key = now.head().key;
    let past = app
        .read(caller, move |reader| {
            snapshot::until(reader, key.into(), at, limits::PAST_ROWS)
        })
        .await?
        .ok_or_else(too_far)?;
    let (process, time) = (now.process.clone(), app.sessions.runtime.clock.now());
    let folded = beside_in(turn, move || past::observe(past, &process, time))
        .await
        .ok_or_else(|| HttpProblem::from(Refusal::Internal))??;
    folded.map(Arc::new).ok_or_else(|| {
        let sentence = format!(
            "expected 'at' to be a number at or after the instance's first command, but at {at} it \
            had not started"
        );
        HttpProblem::new(ErrorCode::BadRequest, sentence)
    })
}

fn too_far() -> HttpProblem {
    limits::Limit::PastRows.refused();
    let sentence = format!(
        "expected a moment at most {} commands after the first, but this one lies behind more: ask \
        for an earlier one, or for the present state",
        limits::PAST_ROWS
    );
    HttpProblem::new(ErrorCode::TooLarge, sentence)
}

/// The state of an instance for a caller.
pub(super) fn instance_state<'a>(observed: &'a Observed, caller: &Caller) -> InstanceState<'a> {
    let head = observed.head();
    let (nodes, actions) = rendering::observed_step(observed, caller);
    let whole = observed.whole.as_ref();
    let for_operators = whole.filter(|_| caller.operator);
    InstanceState {
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
        root: head.root(),
        nodes,
        actions,
        children: rendering::children(head.key, &observed.children),
        view: whole.map_or(&Value::Null, |whole| &whole.view),
        open: whole
            .into_iter()
            .flat_map(|whole| &whole.open)
            .map(OpenAction::from)
            .collect(),
        data: for_operators.map(|whole| &*whole.data),
        subscriptions: for_operators.map(|whole| entries(head.key, &whole.subscriptions)),
    }
}

/// A part of an instance's children, in the order they were started.
#[derive(Serialize, ToSchema)]
#[schema(as = ChildList)]
struct Children<'a> {
    children: Vec<ChildEntry<'a>>,
    /// The `after` of the next part, if there are more.
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
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    let parameters: PartQuery = query(request.query_string())?;
    let length = parameters.length()?;
    let observed = app.observe(key, &principal.caller, false).await?;
    let mut part: Vec<_> = observed
        .children
        .iter()
        .filter(|child| parameters.after.is_none_or(|after| child.seq > after))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;

    #[test]
    fn a_replay_over_the_limit_is_refused_and_counted() {
        let before = Limit::PastRows.count();
        let refused = too_far();
        assert!(refused.to_string().contains("10000 commands"));
        assert_eq!(Limit::PastRows.count(), before + 1);
    }
}
