//! The websocket endpoint `GET /v1/ws`: sends and receives the frames of a session over a socket.
//!
//! One task per connection reads from the client, takes messages of the runtime, and sends frames
//! when the socket has room; it continues to read while frames wait for the socket. How bytes
//! become messages: `message_stream`. The content of frames: `session`.
//!
//! # Rationale
//!
//! **A refused websocket of a browser is accepted and closed with 4403**, because a page sees a
//! close code, but not an HTTP response. Other clients get the response.
//!
//! **A connection that waits for nothing is checked every 5 s**, one with a deadline every second,
//! because most connections are idle.

use std::{
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use super::{
    super::{
        http::{
            app::App,
            connections::ConnectionPermit,
            open_connection::{OpenConnection, Protocol},
            origin_check::{is_browser, origin},
            problem::HttpProblem,
        },
        openapi::shared::TrialPath,
        rest::trials,
        transport::{ConnectionHandle, SessionStream, TakeOver},
        trials::{Trial, ended},
    },
    close_handshake::send_close,
    frame_guard::FrameGuard,
    message_stream::{ClientMessage, MessageStream, StreamEnd},
};
use crate::{
    config::AllowedOrigins,
    limits::{self, Limit},
    meters::meters,
    session::{
        auth::{ticket::TicketUse, token::Identity},
        connection::{CALM, Connection},
        inbox::InboundReceiver,
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
/// The close code in the metrics of a connection that ended without a Close (RFC 6455, 7.4.1).
const ABNORMAL: u16 = 1006;
/// How often a session checks its deadlines; see also [`CALM`].
const TICK: Duration = Duration::from_secs(1);

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
        (status = 401, description = "The ticket is none, or was used before"), (status = 403), (status = 503),
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
        let socket = Box::new(ClientSocket {
            tcp: bytes.handle(),
            messages: MessageStream::new(bytes, from, LONGEST, guard, Some(room)),
            full_since: None,
        });
        rt::spawn(serve(app, socket));
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

/// A client's socket.
pub(super) struct ClientSocket {
    pub(super) messages: MessageStream<SessionStream>,
    pub(super) tcp: ConnectionHandle,
    /// Since when so much waits for the client that nothing more is sent.
    full_since: Option<Instant>,
}

impl ClientSocket {
    /// Whether the peer keeps nothing waiting that has a deadline.
    fn is_calm(&self) -> bool {
        self.full_since.is_none() && !self.messages.is_unfinished()
    }

    /// How to close the connection, if its peer sends or reads too slowly.
    fn overdue(&self, now: Instant) -> Option<Close> {
        if self.messages.is_late(now) {
            Limit::SlowBodies.refused();
            return Some(Close::of(
                CloseCode::ClientTimeout,
                "a message came in too slowly",
            ));
        }
        self.full_since
            .is_some_and(|since| now.duration_since(since) >= limits::SLOW_CONSUMER)
            .then(|| CloseCode::SlowConsumer.into())
    }
}

impl From<StreamEnd> for LoopEnd {
    fn from(over: StreamEnd) -> Self {
        match over {
            StreamEnd::Disconnected => Self::Disconnected,
            StreamEnd::Close(code) => Self::Close(code.into()),
        }
    }
}

/// Why a session's loop ended.
enum LoopEnd {
    /// The peer has disconnected; nothing can be sent.
    Disconnected,
    /// Close with this.
    Close(Close),
}

async fn run(
    app: web::Data<App>,
    mut connection: Box<Connection>,
    mut inbound: InboundReceiver,
    mut socket: Box<ClientSocket>,
    (places, trial): (Vec<ConnectionPermit>, Option<Arc<Trial>>),
) {
    let protocol = trial
        .as_ref()
        .map_or(Protocol::Websocket, |_| Protocol::Trial);
    let about = OpenConnection::new(connection.id(), protocol, connection.address());
    let about = Arc::new(about);
    let open = app.connections.opened(connection.inbox(), &about);
    let _tried = trial.as_ref().map(Trial::connected);
    let mut ending = trial.as_ref().map(|trial| trial.ending());
    let mut user = None;
    // Whether the next tick is as late as a calm connection allows.
    let mut is_slow = false;
    let mut tick = std::pin::pin!(rt::time::sleep(TICK));
    let end = loop {
        if user.is_none() {
            user = identify(&app, &mut connection, &mut socket, &about, trial.as_deref());
        }
        if let Err(end) = pump(&mut connection, &mut socket, &about).await {
            break end;
        }
        about.note(&connection);
        about.note_blocked(socket.full_since.is_some());
        if connection.is_drained() {
            connection.inbox().settle(&inbound);
        }
        if is_slow && !(connection.is_calm() && socket.is_calm()) {
            is_slow = false;
            tick.as_mut().reset(rt::time::Instant::now() + TICK);
        }
        let is_unwritten = socket.messages.is_unwritten();
        // The server does not read from a client that does not read; TCP then stops the client.
        let may_receive = !connection.is_congested();
        tokio::select! {
            happened = next(&mut socket.messages, is_unwritten, may_receive) => {
                let received = match happened {
                    Ok(None) => Ok(()),
                    Ok(Some(message)) => receive(&mut connection, &mut socket, message).await,
                    Err(end) => Err(end),
                };
                if let Err(end) = received {
                    break end;
                }
            }
            Some(first) = inbound.recv() => {
                let mut next = Some(first);
                while let Some(entry) = next {
                    if entry.may_take_long() {
                        socket.messages.turn().await;
                    }
                    connection.take(entry);
                    next = inbound.try_recv().ok();
                }
            }
            () = ended(&mut ending) => {
                break LoopEnd::Close(Close::of(CloseCode::Revoked, "the trial has ended"));
            }
            () = &mut tick => {
                let now = Instant::now();
                connection.tick(now);
                is_slow = connection.is_calm() && socket.is_calm();
                let pause = if is_slow { CALM } else { TICK };
                tick.as_mut().reset((now + pause).into());
                if socket.full_since.is_some() {
                    app.connections.changed(&about);
                }
                if let Some(close) = socket.overdue(now) {
                    break LoopEnd::Close(close);
                }
            }
        }
    };
    drop(connection);
    drop((user, places));
    meters().closed(match &end {
        LoopEnd::Disconnected => ABNORMAL,
        LoopEnd::Close(close) => close.code.number(),
    });
    if let LoopEnd::Close(close) = end {
        Box::pin(send_close(socket, close, open)).await;
    }
}

/// Takes one of the user's places once the user of a connection is known; closes the connection if
/// there is none left.
fn identify(
    app: &App,
    connection: &mut Connection,
    socket: &mut ClientSocket,
    about: &Arc<OpenConnection>,
    trial: Option<&Trial>,
) -> Option<ConnectionPermit> {
    let principal = connection.principal()?;
    // The users of a trial are its designer.
    let payer = trial.map_or(principal, |trial| &trial.owner);
    let taker = payer.taker();
    let maximum = app.config.limits.max_connections_per_user;
    let Some(place) = app.connections.of_user(&payer.user(), maximum) else {
        connection.close(CloseCode::TryAgain);
        return None;
    };
    app.connections
        .identified(about, payer, connection.client());
    if let Some(taker) = taker {
        socket
            .messages
            .take_room_by(app.sessions.memory.permit(taker));
        socket.tcp.is_known();
    }
    Some(place)
}

/// The next message of the client, or `None` once there is room to write again.
async fn next(
    messages: &mut MessageStream<SessionStream>,
    is_unwritten: bool,
    may_receive: bool,
) -> Result<Option<ClientMessage>, LoopEnd> {
    poll_fn(|cx| {
        if is_unwritten && let Poll::Ready(written) = messages.poll_write_on(cx) {
            return Poll::Ready(written.map(|()| None).map_err(|_| LoopEnd::Disconnected));
        }
        match may_receive {
            true => messages
                .poll_message(cx)
                .map_ok(Some)
                .map_err(LoopEnd::from),
            false => Poll::Pending,
        }
    })
    .await
}

/// Sends the queued frames, as far as the client takes them.
async fn pump(
    connection: &mut Connection,
    socket: &mut ClientSocket,
    about: &OpenConnection,
) -> Result<(), LoopEnd> {
    loop {
        while !socket.messages.is_full()
            && let Some(text) = connection.next_frame()
        {
            socket.messages.send(text);
            meters().pushes.increment(1);
            about.note_sent();
        }
        let is_full = socket.messages.is_full();
        match futures_util::poll!(poll_fn(|cx| socket.messages.poll_flush(cx))) {
            Poll::Ready(Err(_)) => return Err(LoopEnd::Disconnected),
            // There may be more.
            Poll::Ready(Ok(())) if is_full => continue,
            Poll::Pending if is_full && !socket.messages.is_full() => continue,
            Poll::Ready(Ok(())) | Poll::Pending => break,
        }
    }
    socket.full_since = socket
        .messages
        .is_full()
        .then(|| socket.full_since.unwrap_or_else(Instant::now));
    match connection.closing() {
        Some(close) if socket.full_since.is_none() || close.code == CloseCode::ByOperator => {
            Err(LoopEnd::Close(close.clone()))
        }
        _ => Ok(()),
    }
}

/// After a message over a rate nothing is read for a while.
async fn wait_if_refused(connection: &mut Connection) {
    if let Some(held_back) = connection.take_refused() {
        rt::time::sleep(held_back.of_message()).await;
    }
}

async fn receive(
    connection: &mut Connection,
    socket: &mut ClientSocket,
    message: ClientMessage,
) -> Result<(), LoopEnd> {
    match message {
        ClientMessage::Text(text) => {
            connection.receive(&text, Instant::now());
            wait_if_refused(connection).await;
        }
        ClientMessage::Binary(_) => connection.close(CloseCode::Binary),
        ClientMessage::Ping(payload) => {
            if !connection.control(payload.len(), Instant::now()) {
                wait_if_refused(connection).await;
            } else if !socket.messages.is_full() {
                // A peer that sends pings but reads nothing is closed as slow, so its pongs may be
                // dropped.
                socket.messages.pong(payload);
            }
        }
        ClientMessage::Pong(payload) => {
            connection.control(payload.len(), Instant::now());
            wait_if_refused(connection).await;
        }
        ClientMessage::Close => return Err(LoopEnd::Close(CloseCode::Normal.into())),
    }
    Ok(())
}
