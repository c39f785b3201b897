//! The stream of an instance: the frames of its channel as server-sent events, for clients that
//! cannot use a websocket or do not need one.

use std::str::from_utf8;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue},
    web::{Data, Path},
};
use serde::Deserialize;

use super::query;
use crate::{
    limits,
    model::ids::InstanceKey,
    session::{
        auth::{principal::Principal, ticket::TicketUse},
        protocol::code::ErrorCode,
        subscription::tree_cursor::TreeCursor,
    },
    web::{
        http::{app::App, problem::HttpProblem},
        instance_client::instance_key,
        sse::{sse_connection::Listening, sse_response},
        transport::ConnectionHandle,
    },
};

/// Sent by a browser when it reconnects.
const LAST_EVENT_ID: &str = "Last-Event-ID";

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Whether the descendants are followed, too; default true.
    tree: Option<bool>,
    /// The position to continue after: the `id` of an event, or a number of the instance;
    /// `Last-Event-ID` takes precedence.
    after: Option<String>,
    /// Whether schemas of actions are sent, as with `schemas` of `hello`; default false.
    schemas: Option<bool>,
    /// A one-time ticket for this stream, instead of a token.
    ticket: Option<String>,
}

/// `GET /v1/instances/{key}/stream?tree=&after=&schemas=&ticket=`: the frames of the channel
/// `instance/KEY`, one event each, until the instance and its descendants have ended. 204 if
/// nothing more comes after the cursor: a browser then does not reconnect.
///
/// # Errors
/// 400 for a bad cursor, 401, 403 from a foreign origin, 404, 503 for too many streams.
#[utoipa::path(
    get,
    path = "/v1/instances/{key}/stream",
    tag = "instances",
    operation_id = "streamInstance", summary = "Follow an instance as server-sent events",
    params(
        ("key" = String, Path, description = "The instance"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event \
            received"),
        StreamQuery,
    ),
    responses(
        (status = 200, description = "Frames as server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "Everything was received, and nothing more will come"),
        (status = 400, description = "The cursor or a parameter cannot be read"),
        (status = 401, description = "No valid token or ticket"),
        (status = 403, description = "A page of a foreign origin"),
        (status = 404, description = "No such instance, or none the caller may see"),
        (status = 503, description = "Too many connections"),
    ),
)]
pub async fn stream(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let parameters: StreamQuery = query(request.query_string())?;
    let key = instance_key(&path)?;
    let principal = listener(&app, &request, parameters.ticket.as_deref(), key)?;
    let cursor = cursor(&request, &parameters, key)?;
    app.observe(key, &principal.caller, false).await?;
    let places = app.admit_listener(&request, &principal)?;
    let address = app.approach(request.head()).address;
    let schemas = parameters.schemas.unwrap_or(false);
    let mut listening = Listening::open(&app, (principal, address), cursor, schemas, places);
    if !listening.has_something().await {
        return Ok(HttpResponse::NoContent().finish());
    }
    let mut response = sse_response::answer(
        &request,
        listening.events(ConnectionHandle::of(&request)),
        limits::KEEP_ALIVE,
    );
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    Ok(response)
}

/// The user: by a ticket for this stream, otherwise by a token or cookie. Only a token cannot be
/// sent without its holder's intention.
fn listener(
    app: &App,
    request: &HttpRequest,
    ticket: Option<&str>,
    key: InstanceKey,
) -> Result<Principal, HttpProblem> {
    if ticket.is_some() || !request.headers().contains_key(AUTHORIZATION) {
        app.require_origin(request)?;
    }
    let Some(ticket) = ticket else {
        return app.bearer(request);
    };
    let identity = app
        .take_ticket(ticket, TicketUse::Stream(key))
        .ok_or_else(|| {
            let sentence = "expected a ticket for this stream that was not used before and is at \
            most 30 s old, but this one is not";
            HttpProblem::new(ErrorCode::Unauthenticated, sentence)
        })?;
    Ok(Principal::new(Some(identity)))
}

fn cursor(
    request: &HttpRequest,
    parameters: &StreamQuery,
    key: InstanceKey,
) -> Result<TreeCursor, HttpProblem> {
    let tree = parameters.tree.unwrap_or(true);
    let last = request
        .headers()
        .get(LAST_EVENT_ID)
        .map(|value| from_utf8(value.as_bytes()).unwrap_or("no text"));
    match last
        .filter(|last| !last.is_empty())
        .or(parameters.after.as_deref())
    {
        None => Ok(TreeCursor::new(key, tree)),
        Some(text) => TreeCursor::parse(key, tree, text)
            .map_err(|sentence| HttpProblem::new(ErrorCode::BadRequest, sentence)),
    }
}
