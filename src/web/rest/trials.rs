//! Trials of drafts: begin, read, move the clock, add users, read instances, end. For their
//! designers.
//!
//! Not here: the trials themselves (`web::trials`), their websocket (`websocket::socket`).

use std::{str::FromStr, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    definitions::{designer, format, refused},
    instances::{InstanceState, instance_state},
    json,
    users::read,
};
use crate::{
    duration, limits,
    model::{
        ids::{InstanceKey, Time},
        problem::Problem,
    },
    session::{
        auth::{principal::Principal, token::Identity},
        protocol::code::ErrorCode,
    },
    web::{
        http::{app::App, audit::Act, body, problem::HttpProblem},
        instance_client::{instance_key, observe},
        openapi::shared::TrialPath,
        trials::{BeginError, NotAtRest, Trial},
    },
};

/// How many instances of a trial are listed.
const LISTED: usize = 100;

/// A trial, as it is now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrialView<'a> {
    /// Its key, for its other paths.
    trial: Uuid,
    /// Its process time, which is stopped until it is moved.
    #[schema(format = DateTime)]
    now: String,
    /// When the next timer or schedule of the trial is due.
    #[schema(format = DateTime)]
    next_due: Option<String>,
    /// The processes that it runs: those of the draft, then those they start or call.
    definitions: Vec<TrialProcessEntry<'a>>,
    /// Its newest instances, at most 100, newest first.
    instances: Vec<TrialInstance>,
    /// Warnings about the draft.
    problems: &'a [Problem],
}

/// An instance of a trial.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrialInstance {
    /// Its key.
    instance: InstanceKey,
    /// Its process.
    process: String,
    /// Its status.
    status: String,
    /// The user who started it.
    started_by: String,
    /// The instance that called it, for a subprocess.
    parent: Option<InstanceKey>,
}

/// A process of a trial.
#[derive(Serialize, ToSchema)]
#[schema(as = TriedProcess)]
struct TrialProcessEntry<'a> {
    /// Its id.
    id: &'a str,
    /// Its name.
    name: &'a str,
    /// Its published version; `null` for a process of the draft.
    version: Option<u32>,
}

/// A user of a trial.
#[derive(Deserialize, ToSchema)]
#[schema(as = TrialUser)]
#[serde(deny_unknown_fields)]
struct UserRequest {
    /// The name.
    #[schema(min_length = 1, max_length = 256)]
    user: String,
    /// Its roles.
    #[serde(default)]
    #[schema(required = false)]
    roles: Vec<String>,
}

/// A token that is valid in the trial only.
#[derive(Serialize, ToSchema)]
#[schema(as = TrialToken)]
struct UserAnswer {
    /// For `hello` on the websocket of the trial.
    token: String,
}

/// How the clock moves: one of the two.
#[derive(Deserialize, ToSchema)]
#[schema(as = TrialClock)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    /// An ISO 8601 duration, by which it moves.
    #[schema(nullable = false, example = "PT1H")]
    advance: Option<String>,
    /// `next`: to the time when the next timer or schedule is due.
    #[schema(nullable = false)]
    to: Option<ClockTarget>,
}

/// A named time.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum ClockTarget {
    /// When the next timer or schedule is due.
    Next,
}

/// `POST /v1/trials` with BPMN XML or the JSON form → 201: the draft runs in a trial of its own.
///
/// # Errors
/// 401, 403 without role designer, 413, 415, 422 with `problems`, 503 with too many trials.
#[utoipa::path(post, path = "/v1/trials", tag = "trials", operation_id = "beginTrial", summary = "Begin \
    a trial of a draft",
    request_body(content((String = "application/xml"), (Object = "application/json"))),
    responses((status = 201, body = TrialView), (status = 403), (status = 415), (status = 422), (status = 503)))]
pub async fn begin(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let identity = designer(&app, &request)?;
    let format = format(&request)?;
    let source = body::bytes(&request, payload, limits::DEFINITION_BYTES).await?;
    let owner = Principal::new(Some(identity.clone()));
    let begun = app
        .trials
        .begin(&app.sessions, &app.config, owner, source.to_vec(), format);
    let trial = begun.await.map_err(|error| match error {
        BeginError::Deploy(error) => refused(error),
        BeginError::Busy => HttpProblem::new(
            ErrorCode::Busy,
            "expected capacity for another trial, but too many are running: try again later",
        ),
        BeginError::Failed(sentence) => {
            log::error!("{sentence}");
            HttpProblem::new(ErrorCode::Internal, sentence)
        }
    })?;
    Act::by(&app, &request, &identity, "trial begun")
        .on("trial", &trial.key.to_string())
        .is_done();
    view(&trial, StatusCode::CREATED).await
}

/// `GET /v1/trials/{trial}` → 200, once nothing is in progress there: the time, and when the next
/// timer or schedule is due.
///
/// # Errors
/// 401, 403 without role designer, 404 if it has ended, or is another designer's.
#[utoipa::path(get, path = "/v1/trials/{trial}", tag = "trials", operation_id = "getTrial", summary = "Read \
    the clock of a trial", params(TrialPath),
    responses((status = 200, body = TrialView), (status = 403), (status = 404)))]
pub async fn get(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let trial = own(&app, &request, &path)?;
    trial.rest().await.map_err(not_at_rest)?;
    view(&trial, StatusCode::OK).await
}

/// `DELETE /v1/trials/{trial}` → 204: ends it; nothing of it is kept.
///
/// # Errors
/// As [`get`].
#[utoipa::path(delete, path = "/v1/trials/{trial}", tag = "trials", operation_id = "endTrial", summary = "End \
    a trial", params(TrialPath),
    responses((status = 204, description = "The trial has ended"), (status = 403), (status = 404)))]
pub async fn end(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let trial = own(&app, &request, &path)?;
    app.trials.end(trial.key);
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /v1/trials/{trial}/users` `{"user","roles"}` → 201 `{"token"}`, valid in the trial only.
///
/// # Errors
/// As [`get`]; 400 for an invalid name.
#[utoipa::path(post, path = "/v1/trials/{trial}/users", tag = "trials", operation_id = "addTrialUser", summary = "Make \
    a token for a user of a trial", params(TrialPath), request_body = UserRequest,
    responses((status = 201, body = UserAnswer), (status = 403), (status = 404)))]
pub async fn user(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let trial = own(&app, &request, &path)?;
    let form = r#"{"user":"ada","roles":["clerk"]}"#;
    let UserRequest { user, roles } = read(&request, payload, form).await?;
    let refused = |sentence: String| HttpProblem::new(ErrorCode::BadRequest, sentence);
    let token = trial
        .token(&user, roles)
        .map_err(|error| refused(error.to_string()))?;
    if token.len() > limits::TOKEN_BYTES {
        return Err(refused(format!(
            "expected a name and roles that fit into a token of {} bytes, but these do not; \
            shorten them",
            limits::TOKEN_BYTES
        )));
    }
    Ok(json(StatusCode::CREATED, &UserAnswer { token }))
}

/// `POST /v1/trials/{trial}/clock` `{"advance":"PT1H"}` or `{"to":"next"}` → 200, once everything
/// due by then has happened.
///
/// # Errors
/// As [`get`]; 400 for an invalid duration, 409 if nothing is due, 503 if what is due takes too
/// long.
#[utoipa::path(post, path = "/v1/trials/{trial}/clock", tag = "trials", operation_id = "moveTrialClock", summary = "Move \
    the clock of a trial", params(TrialPath), request_body = ClockRequest,
    responses((status = 200, body = TrialView), (status = 403), (status = 404), (status = 409), (status = 503)))]
pub async fn clock(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let trial = own(&app, &request, &path)?;
    let body: ClockRequest = read(&request, payload, r#"{"advance":"PT1H"}"#).await?;
    // Work in progress may set a timer.
    trial.rest().await.map_err(not_at_rest)?;
    let target = match (body.advance, body.to) {
        (Some(span), None) => advanced(trial.now(), &span)?,
        (None, Some(ClockTarget::Next)) => trial.next_due().await?.ok_or_else(|| {
            let sentence = "expected a timer or schedule to skip to, but none is armed; advance \
                the clock by a duration";
            HttpProblem::new(ErrorCode::Conflict, sentence)
        })?,
        _ => {
            let sentence =
                "expected one of 'advance' and 'to', but there are none or both; send one";
            return Err(HttpProblem::new(ErrorCode::BadRequest, sentence));
        }
    };
    trial.move_clock(target).await.map_err(not_at_rest)?;
    view(&trial, StatusCode::OK).await
}

/// An instance of a trial.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it says what the address holds")]
struct TrialInstancePath {
    /// The trial's key.
    trial: Uuid,
    /// The instance's key.
    key: InstanceKey,
}

/// `GET /v1/trials/{trial}/instances/{key}` → 200: its state and its whole data, as for operators.
///
/// # Errors
/// As [`get`]; also 404 for an unknown instance.
#[utoipa::path(get, path = "/v1/trials/{trial}/instances/{key}", tag = "trials", operation_id = "getTrialInstance", summary = "Read \
    an instance of a trial", params(TrialInstancePath),
    responses((status = 200, body = InstanceState), (status = 403), (status = 404)))]
pub async fn instance(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (trial, key) = path.into_inner();
    let trial = own(&app, &request, &trial)?;
    let caller = Principal::new(Some(Identity::owner())).caller;
    let observed = observe(&trial.sessions.runtime, instance_key(&key)?, &caller, true).await?;
    Ok(json(StatusCode::OK, &instance_state(&observed, &caller)))
}

/// A running trial of any designer; any user who has a token of it may connect.
///
/// # Errors
/// 404.
pub(in crate::web) fn running(app: &App, key: &str) -> Result<Arc<Trial>, HttpProblem> {
    let found = Uuid::from_str(key).ok().and_then(|key| app.trials.get(key));
    found.ok_or_else(|| {
        HttpProblem::new(
            ErrorCode::NotFound,
            "expected a running trial of yours, but there is none with this key: it has ended; \
            begin another",
        )
    })
}

/// A running trial of the designer who sends the request.
fn own(app: &App, request: &HttpRequest, key: &str) -> Result<Arc<Trial>, HttpProblem> {
    let designer = Principal::new(Some(designer(app, request)?));
    let found = running(app, key)?;
    if found.owner.user() != designer.user() {
        return running(app, "");
    }
    found.touch();
    Ok(found)
}

async fn view(trial: &Trial, status: StatusCode) -> Result<HttpResponse, HttpProblem> {
    let next_due = trial.next_due().await?;
    let instances = trial.newest_instances(LISTED).await?;
    let instances = instances.into_iter().map(|row| TrialInstance {
        instance: row.key,
        process: row.process,
        status: row.status,
        started_by: row.started_by,
        parent: row.parent,
    });
    let definitions = trial.definitions.iter().map(|one| TrialProcessEntry {
        id: &one.id,
        name: &one.name,
        version: one.version,
    });
    let view = TrialView {
        trial: trial.key,
        now: trial.now().to_string(),
        next_due: next_due.map(|due| due.to_string()),
        definitions: definitions.collect(),
        instances: instances.collect(),
        problems: &trial.problems,
    };
    Ok(json(status, &view))
}

fn advanced(now: Time, span: &str) -> Result<Time, HttpProblem> {
    let wrong = |sentence: String| HttpProblem::new(ErrorCode::BadRequest, sentence);
    let parsed = duration::parse(span).map_err(wrong)?;
    if parsed.is_negative() {
        return Err(wrong(format!(
            "expected a duration such as PT1H, as the clock does not go back, but it is `{span}`"
        )));
    }
    let target = now.plus(&parsed).filter(|target| *target >= now);
    target.ok_or_else(|| {
        wrong(format!(
            "expected a duration that ends before the year 10000, but `{span}` does not; advance \
            the clock by less"
        ))
    })
}

fn not_at_rest(_: NotAtRest) -> HttpProblem {
    let sentence = "expected the trial to finish its work, but the due work takes longer: try \
        again, or begin another";
    HttpProblem::new(ErrorCode::Busy, sentence)
}
