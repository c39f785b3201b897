//! Commands on jobs: stop, suspend, resume, approve, reject. A command without effect at present is
//! answered `false`, not refused.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::StatusCode,
    web::{Data, Payload},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    ascii,
    refused::Refused,
    workflow::{Named, OfJob, OfWorkflow},
};
use crate::{
    engine::{access::Caller, instance_outcome::is_approval, next_step::Offer, record::Status},
    limits,
    model::{
        action::{APPROVE, COMMENT, REJECT},
        ids::InstanceKey,
    },
    runtime::instance_request::{InstanceRequest, Observed},
    session::{
        auth::principal::Principal,
        protocol::{body as fields, client::Run, on_instance::OnInstance, to_command},
    },
    text::json,
    web::{
        http::{app::App, body, problem::HttpProblem},
        openapi::shared::{CommandRefused, IdempotencyKey},
        rest::commands::command_id,
    },
};

/// `POST /api/v1/stop?w=…&i=…` → whether the job was in progress, and is now ended.
///
/// # Errors
/// 400, 401, 403, 404.
#[utoipa::path(post, path = "/api/v1/stop", tag = "jobs", operation_id = "stopJob", summary = "Stop \
    a job", params(OfWorkflow, OfJob, IdempotencyKey),
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        it took effect"), CommandRefused, (status = 413)))]
pub async fn stop(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    result_text(
        on_job(
            &request,
            payload,
            &app,
            OnInstance::Terminate,
            Status::is_live,
        )
        .await?,
    )
}

/// `POST /api/v1/suspend?w=…&i=…` → whether the job was running, and is now held.
///
/// # Errors
/// As [`stop`].
#[utoipa::path(post, path = "/api/v1/suspend", tag = "jobs", operation_id = "suspendJob", summary = "Suspend \
    a job", params(OfWorkflow, OfJob, IdempotencyKey),
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        it took effect"), CommandRefused, (status = 413)))]
pub async fn suspend(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    result_text(
        on_job(&request, payload, &app, OnInstance::Hold, |status| {
            status == Status::Started
        })
        .await?,
    )
}

/// `POST /api/v1/resume?w=…&i=…` lets a held job continue; the answer is empty.
///
/// # Errors
/// As [`stop`].
#[utoipa::path(post, path = "/api/v1/resume", tag = "jobs", operation_id = "resumeJob", summary = "Resume \
    a suspended job", params(OfWorkflow, OfJob, IdempotencyKey),
    responses((status = 200, description = "Nothing more to tell"), CommandRefused, (status = 413)))]
pub async fn resume(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    on_job(&request, payload, &app, OnInstance::Unhold, |status| {
        status == Status::OnHold
    })
    .await?;
    Ok(HttpResponse::Ok().finish())
}

/// `POST /api/v1/approve?w=…&i=…`, with `&comment=…` or `{"comment": …}` if there is a comment →
/// whether the job was waiting for an approval, and has it now.
///
/// # Errors
/// As [`stop`]; 422 when the approval needs data.
#[utoipa::path(post, path = "/api/v1/approve", tag = "jobs", operation_id = "approveJob", summary = "Approve \
    what a job waits for", params(OfWorkflow, OfJob, IdempotencyKey),
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        it took effect"), CommandRefused, (status = 413)))]
pub async fn approve(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    result_text(decide(&request, payload, &app, APPROVE).await?)
}

/// `POST /api/v1/reject?w=…&i=…` → whether the job was waiting for an approval, and is rejected
/// now.
///
/// # Errors
/// As [`approve`].
#[utoipa::path(post, path = "/api/v1/reject", tag = "jobs", operation_id = "rejectJob", summary = "Reject \
    what a job waits for", params(OfWorkflow, OfJob, IdempotencyKey),
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        it took effect"), CommandRefused, (status = 413)))]
pub async fn reject(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    result_text(decide(&request, payload, &app, REJECT).await?)
}

fn result_text(took_effect: bool) -> Result<HttpResponse, Refused> {
    Ok(ascii::answer(&took_effect))
}

async fn on_job(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    command: OnInstance,
    applies: impl Fn(Status) -> bool,
) -> Result<bool, HttpProblem> {
    let JobTarget {
        principal,
        observed,
        ..
    } = look(request, payload, app).await?;
    if !applies(observed.next.status) {
        return Ok(false);
    }
    let instance_request =
        to_command::on_instance(&command_id(request)?, command, &principal.caller);
    took_effect(
        app,
        observed.head().key,
        &principal.caller,
        instance_request,
    )
    .await
}

async fn decide(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    action: &str,
) -> Result<bool, HttpProblem> {
    let JobTarget {
        principal,
        observed,
        comment,
    } = look(request, payload, app).await?;
    let Some(offer) = approval(&observed, &principal.caller, action) else {
        return Ok(false);
    };
    let (id, instance, element) = (
        command_id(request)?,
        observed.head().key,
        Some(offer.element),
    );
    let data = comment
        .map(|comment| fields::data(&json!({ COMMENT: comment }).to_string()))
        .transpose()?;
    let run = Run {
        id,
        instance,
        action: action.to_owned(),
        data,
        element,
        if_seq: None,
    };
    took_effect(
        app,
        instance,
        &principal.caller,
        to_command::run(run, &principal.caller)?,
    )
    .await
}

/// The user, the job, and the comment of a command.
struct JobTarget {
    principal: Principal,
    observed: Arc<Observed>,
    comment: Option<String>,
}

/// The only member of a body that is used.
#[derive(Deserialize)]
struct CommentBody {
    comment: String,
}

/// The job that a request names. A comment may be in the query or in a body of JSON; any other body
/// is read and ignored.
async fn look(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
) -> Result<JobTarget, HttpProblem> {
    let principal = app.bearer(request)?;
    let body = body::bytes(request, payload, limits::REST_BODY_BYTES.get()).await?;
    let named = Named::read(request)?;
    let observed = app
        .job(&principal.caller, named.workflow()?, named.job()?)
        .await?;
    let comment = match named.comment() {
        Some(comment) => Some(comment.to_owned()),
        None => body::by_length(request, body.len(), move || comment_in(&body)).await?,
    };
    Ok(JobTarget {
        principal,
        observed,
        comment,
    })
}

fn comment_in(body: &[u8]) -> Option<String> {
    let body: CommentBody = json::from_text(&ascii::text(body)).ok()?;
    Some(body.comment)
}

/// The action of the first approval that waits, preferably for the caller.
fn approval<'a>(observed: &'a Observed, caller: &Caller, action: &str) -> Option<&'a Offer> {
    let (process, next, permissions) = (
        &observed.process.executable,
        &observed.next,
        observed.permissions(caller),
    );
    let waits = |offer: &Offer| {
        !offer.back
            && *offer.action == *action
            && process.node(&offer.node).is_some_and(is_approval)
    };
    let waiting = || {
        next.offers
            .iter()
            .enumerate()
            .filter(|(_, offer)| waits(offer))
    };
    let own = waiting().find(|&(index, _)| permissions.offer(next, index));
    own.or_else(|| waiting().next()).map(|(_, offer)| offer)
}

/// A conflict means that another client was faster.
async fn took_effect(
    app: &App,
    job: InstanceKey,
    caller: &Caller,
    instance_request: InstanceRequest,
) -> Result<bool, HttpProblem> {
    match app.command(job, caller, instance_request).await {
        Ok(_) => Ok(true),
        Err(problem) if problem.status_code() == StatusCode::CONFLICT => Ok(false),
        Err(problem) => Err(problem),
    }
}
