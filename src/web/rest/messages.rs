//! Messages and signals that clients publish.

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
        publish::{MessageBody, PublishResult, PublishTo, PublishedKind, SignalBody, to_publish},
    },
    web::{
        http::{app::App, body, problem::HttpProblem},
        openapi::shared::{CommandRefused, IdempotencyKey},
    },
};

/// `POST /v1/messages` `{"name","correlationKey","data","ttl","instance"}` → the receivers.
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

/// `POST /v1/signals` `{"name","data"}` → the receivers.
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

async fn publish(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    kind: PublishedKind,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(request)?;
    let id = command_id(request)?;
    let text = body::json(request, payload).await?;
    let runtime = &app.sessions.runtime;
    let publish = fields::publish(&text, id, kind)?;
    let to = to_publish(&publish, &principal.caller, runtime.clock.now())?;
    let payer = app.admit_publish(request, &principal)?;
    let bytes = publish.data.as_ref().map_or(0, |data| data.text().len());
    let result = match to {
        PublishTo::Instance(instance, instance_request) => {
            app.command(instance, &principal.caller, instance_request)
                .await?;
            PublishResult::of(instance)
        }
        PublishTo::All(publication) => {
            let (sender, answered) = oneshot::channel();
            // The receiver is gone when the request was cut off.
            runtime.publish(
                publication,
                Box::new(move |answer| drop(sender.send(answer))),
            );
            let answer = answered.await.unwrap_or(Err(Refusal::Unknown));
            let published = answer.map_err(HttpProblem::from)?;
            app.sessions.owe_copies(payer, bytes, &published);
            published.into()
        }
    };
    Ok(json(StatusCode::OK, &result))
}
