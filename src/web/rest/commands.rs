//! Commands on instances: `run`, `done`, those without data; and the form of all responses to
//! commands.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use uuid::Uuid;

use super::json_text;
use crate::{
    engine::{Record, access::Caller, record::StoredFile},
    model::ids::InstanceKey,
    runtime::instance_request::{Committed, InstanceRequest},
    session::protocol::{
        body as fields,
        client::{FrameId, Patch, Run},
        code::ErrorCode,
        rendering,
        shapes::{Assign, AtElement, Done, MoveToken},
        to_command,
    },
    web::{
        http::{app::App, body, problem::HttpProblem},
        instance_client::{CommandOutcome, instance_key},
        openapi::shared::{Answered, CommandRefused, IdempotencyKey, InstancePath},
    },
};

/// `POST /v1/instances/{key}/run` `{"action","data","element","ifSeq"}`.
///
/// # Errors
/// Problems, as for the frame `run`.
#[utoipa::path(post, path = "/v1/instances/{key}/run", tag = "instances", operation_id = "runAction", summary = "Run \
    a manual action",
    params(InstancePath, IdempotencyKey), request_body = Run, responses((status = 200, body = Answered), CommandRefused))]
pub async fn run(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    command(&request, &path, payload, &app, |text, id, key, caller| {
        Ok(to_command::run(fields::run(text, id, key)?, caller)?)
    })
    .await
}

/// `POST /v1/instances/{key}/{command}`: `hold`, `unhold`, `terminate` and `dismiss`; the body may
/// be left out.
///
/// # Errors
/// Problems, as for the frame of the same name.
#[utoipa::path(post, path = "/v1/instances/{key}/{command:hold|unhold|terminate|dismiss}", tag = "instances",
    operation_id = "{}Instance", summary = "{} an instance", params(InstancePath, IdempotencyKey),
    responses((status = 200, body = Answered), CommandRefused))]
pub async fn on_instance(
    request: HttpRequest,
    path: Path<(String, String)>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    named(&request, path.into_inner(), payload, &app).await
}

/// `POST /v1/instances/{key}/{command}` `{"element"}`: `retry`, `skip`, `claim` and `release`.
///
/// # Errors
/// Problems, as for the frame of the same name.
#[utoipa::path(post, path = "/v1/instances/{key}/{command:retry|skip|claim|release}", tag = "instances",
    operation_id = "{}Element", summary = "{} an element", params(InstancePath, IdempotencyKey), request_body = AtElement,
    responses((status = 200, body = Answered), CommandRefused))]
pub async fn at_element(
    request: HttpRequest,
    path: Path<(String, String)>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    named(&request, path.into_inner(), payload, &app).await
}

/// `POST /v1/instances/{key}/assign` `{"element","user"}`.
///
/// # Errors
/// Problems, as for the frame of the same name.
#[utoipa::path(post, path = "/v1/instances/{key}/assign", tag = "instances", operation_id = "assignTask", summary = "Assign \
    a user task",
    params(InstancePath, IdempotencyKey), request_body = Assign, responses((status = 200, body = Answered), CommandRefused))]
pub async fn assign(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    named(
        &request,
        (path.into_inner(), "assign".to_owned()),
        payload,
        &app,
    )
    .await
}

/// `POST /v1/instances/{key}/move` `{"element","to"}`: role `operator` or `admin`.
///
/// # Errors
/// Problems, as for the frame of the same name.
#[utoipa::path(post, path = "/v1/instances/{key}/move", tag = "instances", operation_id = "moveToken", summary = "Take \
    a token to another node of its scope",
    params(InstancePath, IdempotencyKey), request_body = MoveToken, responses((status = 200, body = Answered), CommandRefused))]
pub async fn move_token(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    named(
        &request,
        (path.into_inner(), "move".to_owned()),
        payload,
        &app,
    )
    .await
}

/// The command with this name, as by its frame.
async fn named(
    request: &HttpRequest,
    (key, name): (String, String),
    payload: Payload,
    app: &App,
) -> Result<HttpResponse, HttpProblem> {
    let to_request = move |text: &str, id, key, caller: &Caller| {
        Ok(to_command::on_instance(
            &id,
            fields::on_instance(&name, text, key)?,
            caller,
        ))
    };
    command(request, &key, payload, app, to_request).await
}

/// `PATCH /v1/instances/{key}/data` `{"data","scope","ifSeq"}`: role `operator` or `admin`.
///
/// # Errors
/// Problems, as for the frame `patch`.
#[utoipa::path(patch, path = "/v1/instances/{key}/data", tag = "instances", summary = "Correct \
    the data of an instance",
    params(InstancePath, IdempotencyKey), request_body = Patch, responses((status = 200, body = Answered), CommandRefused))]
pub async fn patch(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    command(&request, &path, payload, &app, |text, id, key, caller| {
        Ok(to_command::patch(&fields::patch(text, id, key)?, caller)?)
    })
    .await
}

/// `POST /v1/instances/{key}/done` `{"seq"}`.
///
/// # Errors
/// Problems, as for the frame `done`.
#[utoipa::path(post, path = "/v1/instances/{key}/done", tag = "instances", operation_id = "closeMessage", summary = "Close \
    an open Action message",
    params(InstancePath, IdempotencyKey), request_body = Done, responses((status = 200, body = Answered), CommandRefused))]
pub async fn done(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    command(&request, &path, payload, &app, |text, id, _, caller| {
        Ok(to_command::done(&id, fields::done(text)?, caller))
    })
    .await
}

async fn command(
    request: &HttpRequest,
    key: &str,
    payload: Payload,
    app: &App,
    to_request: impl FnOnce(&str, FrameId, InstanceKey, &Caller) -> Result<InstanceRequest, HttpProblem>
    + Send
    + 'static,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(request)?;
    let key = instance_key(key)?;
    let id = command_id(request)?;
    let caller = principal.caller.clone();
    let read = move |text: &str| to_request(text, id, key, &caller);
    let instance_request = body::json(request, payload, read).await??;
    let outcome = app
        .command(key, &principal.caller, instance_request)
        .await?;
    Ok(json_text(
        StatusCode::OK,
        answer(&outcome, &principal.caller, None),
    ))
}

/// The id of a command: its `Idempotency-Key`, or a new one.
///
/// # Errors
/// 400 for a key that is no UUID.
pub fn command_id(request: &HttpRequest) -> Result<FrameId, HttpProblem> {
    let mut headers = request.headers().get_all("Idempotency-Key");
    let Some(header) = headers.next() else {
        return Ok(Uuid::now_v7().into());
    };
    if headers.next().is_some() {
        return Err(HttpProblem::new(
            ErrorCode::BadRequest,
            "expected the header Idempotency-Key once, but it is there several times",
        ));
    }
    // Some clients quote it, as the header's draft specifies.
    let text = header.to_str().unwrap_or_default().trim_matches('"');
    match Uuid::parse_str(text) {
        Ok(id) => Ok(id.into()),
        Err(_) => Err(HttpProblem::new(
            ErrorCode::BadRequest,
            "expected the header Idempotency-Key to be a UUID, but it is another text",
        )),
    }
}

/// The frame's `result`, with `seq`, `duplicate` and the uploaded file, if any, as further members.
pub fn answer(outcome: &CommandOutcome, caller: &Caller, token: Option<&str>) -> String {
    match outcome {
        CommandOutcome::Done(committed, duplicate) => {
            let result = rendering::result(committed, caller, token);
            // The result is an object with at least one member: its opening bracket is replaced by
            // a comma.
            let file = stored_file(committed).map_or_else(String::new, |file| {
                format!(r#""file":{},"#, file.reference())
            });
            format!(
                r#"{{"seq":{},"duplicate":{duplicate},{file}{}"#,
                committed.row.last_seq(),
                &result.get()[1..]
            )
        }
        CommandOutcome::Unchanged => r#"{"duplicate":false}"#.to_owned(),
    }
}

fn stored_file(committed: &Committed) -> Option<&StoredFile> {
    committed.row.records.iter().find_map(|record| {
        if let Record::FileStored(file) = record {
            Some(&**file)
        } else {
            None
        }
    })
}
