//! Messages and signals that clients publish, and conditional start events that they evaluate.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use tokio::sync::oneshot;

use super::{commands::command_id, json};
use crate::{
    runtime::instance_request::Refusal,
    session::protocol::{
        body as fields,
        code::ErrorCode,
        conditions::{EvaluateConditions, to_request},
        publish::{MessageBody, PublishResult, PublishTo, PublishedKind, SignalBody, to_publish},
    },
    web::{
        http::{app::App, body, problem::HttpProblem},
        openapi::shared::{CommandRefused, IdempotencyKey},
    },
};

/// `POST /v1/messages` `{"name","correlationKey","businessKey","data","ttl","instance"}` → the
/// receivers.
///
/// # Errors
/// Problems, as for the frame `publish`.
#[utoipa::path(post, path = "/v1/messages", tag = "messages", operation_id = "publishMessage", summary = "Publish \
    a message", params(IdempotencyKey), request_body = MessageBody,
    responses((status = 200, body = PublishResult), (status = 404), CommandRefused))]
pub async fn message(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    publish(&request, payload, &app, PublishedKind::Message).await
}

/// `POST /v1/signals` `{"name","businessKey","data"}` → the receivers.
///
/// # Errors
/// Problems, as for the frame `publish`.
#[utoipa::path(post, path = "/v1/signals", tag = "messages", operation_id = "publishSignal", summary = "Publish \
    a signal", params(IdempotencyKey), request_body = SignalBody,
    responses((status = 200, body = PublishResult), CommandRefused))]
pub async fn signal(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    publish(&request, payload, &app, PublishedKind::Signal).await
}

/// `POST /v1/conditions` `{"process","data","businessKey"}` → the instances that it started: one at
/// each conditional start event whose condition is true with these data.
///
/// # Errors
/// Problems: 403 without role `operator` when no process is named, 404 for an unknown process, 413
/// for large data.
#[utoipa::path(post, path = "/v1/conditions", tag = "messages", operation_id = "evaluateConditions", summary = "Evaluate \
    conditional start events", params(IdempotencyKey), request_body = EvaluateConditions,
    responses((status = 200, body = PublishResult), CommandRefused))]
pub async fn conditions(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    if principal.is_anonymous() {
        let sentence = "expected a token to evaluate conditions, but there is none";
        return Err(HttpProblem::new(ErrorCode::Unauthenticated, sentence));
    }
    let id = command_id(&request)?;
    let caller = principal.caller.clone();
    let read = move |text: &str| -> Result<_, HttpProblem> {
        let evaluate = fields::evaluate_conditions(text, id)?;
        let bytes = evaluate.data.as_ref().map_or(0, |data| data.text().len());
        Ok((to_request(&evaluate, &caller)?, bytes))
    };
    let (start, bytes) = body::json(&request, payload, read).await??;
    let payer = app.admit_publish(&request, &principal)?;
    let sessions = app.sessions.clone();
    // If the request is cut off, the instances are started and charged all the same.
    let started = actix_web::rt::spawn(async move {
        let published = sessions.runtime.start_by_conditions(start).await?;
        sessions.owe_receivers(payer, bytes, &published);
        Ok::<_, Refusal>(published)
    });
    let published = started.await.unwrap_or(Err(Refusal::Internal))?;
    Ok(json(StatusCode::OK, &PublishResult::from(published)))
}

async fn publish(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    kind: PublishedKind,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(request)?;
    let id = command_id(request)?;
    let runtime = &app.sessions.runtime;
    let (caller, now) = (principal.caller.clone(), runtime.clock.now());
    let read = move |text: &str| -> Result<_, HttpProblem> {
        let publish = fields::publish(text, id, kind)?;
        let bytes = publish.data.as_ref().map_or(0, |data| data.text().len());
        Ok((to_publish(&publish, &caller, now)?, bytes))
    };
    let (to, bytes) = body::json(request, payload, read).await??;
    let payer = app.admit_publish(request, &principal)?;
    let result = match to {
        PublishTo::Instance(instance, instance_request) => {
            app.command(instance, &principal.caller, instance_request)
                .await?;
            PublishResult::of(instance)
        }
        PublishTo::All(publication) => {
            let (sender, answered) = oneshot::channel();
            // The receiver is gone when the request was cut off.
            let reply = Box::new(move |answer| drop(sender.send(answer)));
            runtime.publish(publication, app.sessions.charging((payer, bytes), reply));
            let answer = answered.await.unwrap_or(Err(Refusal::Unknown));
            answer.map_err(HttpProblem::from)?.into()
        }
    };
    Ok(json(StatusCode::OK, &result))
}
