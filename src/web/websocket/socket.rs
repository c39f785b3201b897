//! The websocket endpoint `GET /v1/ws`: the handshake, after which a task of its own serves each
//! connection (`session_loop`).
//!
//! Not here: how bytes become messages (`message_stream`), the content of frames (`session`).
//!
//! # Rationale
//!
//! **A refused websocket of a browser is accepted and closed with 4403**, because a page sees a
//! close code, but not an HTTP response. Other clients get the response.

use std::{sync::Arc, time::Instant};

use super::{
    super::{
        http::{
            app::App,
            origin_check::{is_browser, origin},
            problem::HttpProblem,
        },
        openapi::shared::TrialPath,
        rest::trials,
        transport::TakeOver,
        trials::Trial,
    },
    close_handshake::send_close,
    frame_guard::FrameGuard,
    message_stream::MessageStream,
    session_loop::{ClientSocket, run},
};
use crate::{
    config::AllowedOrigins,
    limits,
    meters::meters,
    session::{
        auth::{ticket::TicketUse, token::Identity},
        connection::Connection,
        protocol::{
            close::{Close, CloseCode},
            code::ErrorCode,
            server::{ErrorFrame, ServerFrame},
        },
        sessions::Sessions,
    },
};
use actix_http::ws::handshake;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL},
    rt, web,
};

/// The one subprotocol.
pub const PROTOCOL: &str = "stepwire.v1.json";

/// The query of the websocket.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WsQuery {
    /// A ticket of `POST /v1/tickets`, instead of a token in `hello`.
    ticket: Option<String>,
}

/// Upgrades a request to a session.
///
/// # Errors
/// A problem: 400 without the subprotocol, 403 from a foreign origin (to a browser's page: close
/// 4403 after the upgrade), 401 for a bad ticket, 503 for too many connections.
#[utoipa::path(get, path = "/v1/ws", tag = "server", operation_id = "openWebsocket", summary = "Open \
    the websocket", params(WsQuery), security((), ("ticket" = [])),
    responses(
        (status = 101, description = "From here on frames are exchanged: see /asyncapi.json"), (status = 400),
        (status = 401, description = "There is no such ticket, or it was used before"), (status = 403), (status = 503),
    ))]
pub async fn websocket(
    request: HttpRequest,
    query: web::Query<WsQuery>,
    app: web::Data<App>,
) -> Result<HttpResponse, actix_web::Error> {
    require_protocol(&request)?;
    if let Err(problem) = app.require_origin(&request) {
        return if is_browser(request.head()) {
            turn_away(&app, &request, &problem)
        } else {
            Err(problem.into())
        };
    }
    let ticket = match &query.ticket {
        None => None,
        Some(ticket) => Some(app.take_ticket(ticket, TicketUse::Ws).ok_or_else(|| {
            HttpProblem::new(
                ErrorCode::Unauthenticated,
                "expected a ticket that was not used before and is at most 30 s old, but this one \
                is not",
            )
        })?),
    };
    let sessions = app.sessions.clone();
    let trial = None;
    let of = Of {
        sessions,
        ticket,
        trial,
    };
    open(&request, app, of)
}

/// Upgrades a request to a session of a trial.
///
/// # Errors
/// A problem: 400 without the subprotocol, 403 from a foreign origin, 404 for an unknown trial, 503
/// for too many connections.
#[utoipa::path(get, path = "/v1/trials/{trial}/ws", tag = "trials", operation_id = "openTrialWebsocket", summary = "Open \
    the websocket of a trial", params(TrialPath), security(()),
    responses(
        (status = 101, description = "From here on frames are exchanged, as on /v1/ws: see \
            /asyncapi.json"),
        (status = 400), (status = 403), (status = 404), (status = 503),
    ))]
pub async fn trial_websocket(
    request: HttpRequest,
    path: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, actix_web::Error> {
    require_protocol(&request)?;
    app.require_origin(&request)?;
    let trial = trials::running(&app, &path)?;
    let of = Of {
        sessions: trial.sessions.clone(),
        ticket: None,
        trial: Some(trial),
    };
    open(&request, app, of)
}

/// The parts of a connection.
struct Of {
    sessions: Arc<Sessions>,
    ticket: Option<Identity>,
    trial: Option<Arc<Trial>>,
}

fn open(
    request: &HttpRequest,
    app: web::Data<App>,
    of: Of,
) -> Result<HttpResponse, actix_web::Error> {
    app.require_staying()?;
    let places = app.admit_address(request)?;
    let address = app.approach(request.head()).address;
    upgrade(app, request, move |app, socket| {
        let now = Instant::now();
        let (connection, inbound) = Connection::open(of.sessions, of.ticket, address, now);
        // A task contains its arguments twice.
        let connection = Box::new(connection);
        run(app, connection, inbound, socket, (places, of.trial))
    })
}

/// Accepts the upgrade; `serve` begins in a task of its own once the response is sent.
fn upgrade<F: Future<Output = ()> + 'static>(
    app: web::Data<App>,
    request: &HttpRequest,
    serve: impl FnOnce(web::Data<App>, Box<ClientSocket>) -> F + 'static,
) -> Result<HttpResponse, actix_web::Error> {
    // The library has one limit for all messages; the guard knows which message is the first.
    const LONGEST: usize = limits::FIRST_MESSAGE_BYTES;
    let room = app.sessions.memory.permit(app.taker(request));
    let from = app.approach(request.head()).address;
    let mut response = handshake(request.head())?;
    response.insert_header((SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)));
    let mut response = HttpResponse::from(response.finish()).map_into_boxed_body();
    TakeOver::leave_in(&mut response, move |bytes| {
        let guard = FrameGuard::new(LONGEST as u64, limits::MESSAGE_BYTES as u64);
        let from = from.unwrap_or(bytes.address());
        let tcp = bytes.handle();
        let messages = MessageStream::new(bytes, from, LONGEST, guard, Some(room));
        rt::spawn(serve(app, Box::new(ClientSocket::new(messages, tcp))));
    });
    Ok(response)
}

/// Accepts the upgrade only to send a reason and close: a browser hides an HTTP response from the
/// page.
fn turn_away(
    app: &web::Data<App>,
    request: &HttpRequest,
    problem: &HttpProblem,
) -> Result<HttpResponse, actix_web::Error> {
    let places = app.admit_address(request)?;
    let origin = origin(request.head()).unwrap_or_default();
    let reason = match AllowedOrigins::why_not_listed(origin) {
        None => format!("pages of {origin} may connect once --allowed-origins lists it"),
        Some(obstacle) => obstacle.to_owned(),
    };
    let error = ErrorFrame::new(None, ErrorCode::Forbidden, &problem.to_string()).text();
    upgrade(app.clone(), request, move |_, mut socket| async move {
        socket.messages.send(error);
        meters().closed(CloseCode::Forbidden.number());
        let close = Close::because(CloseCode::Forbidden, reason, CloseCode::Forbidden.reason());
        send_close(socket, close, places).await;
    })
}

fn require_protocol(request: &HttpRequest) -> Result<(), HttpProblem> {
    let offered = request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok());
    let found = offered
        .flat_map(|list| list.split(','))
        .any(|name| name.trim() == PROTOCOL);
    if found {
        return Ok(());
    }
    let sentence = format!(
        "expected the websocket subprotocol {PROTOCOL}, but the request does not offer it; \
        supported: {PROTOCOL}"
    );
    Err(HttpProblem::new(ErrorCode::BadRequest, sentence))
}
