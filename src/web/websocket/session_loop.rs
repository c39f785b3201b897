//! The loop of a session: it reads from the client, takes messages of the runtime, and sends frames
//! when the socket has room; it continues to read while frames wait for the socket.
//!
//! Not here: the handshake (`socket`), how bytes become messages (`message_stream`), the content of
//! frames (`session`).
//!
//! # Rationale
//!
//! **A connection that waits for nothing is checked every 5 s**, one with a deadline every second,
//! because most connections are idle.

use std::{
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use actix_web::{rt, web};

use super::{
    super::{
        http::{
            app::App,
            connections::ConnectionPermit,
            open_connection::{OpenConnection, Protocol},
        },
        transport::{ConnectionHandle, SessionStream},
        trials::{Trial, ended},
    },
    close_handshake::send_close,
    message_stream::{ClientMessage, MessageStream, StreamEnd},
};
use crate::{
    limits::{self, Limit},
    meters::meters,
    session::{
        connection::{CALM, Connection},
        inbox::{Inbound, InboundReceiver},
        protocol::close::{Close, CloseCode},
    },
};

/// The close code in the metrics of a connection that ended without a Close (RFC 6455, 7.4.1).
const ABNORMAL: u16 = 1006;
/// How often a session checks its deadlines; see also [`CALM`].
const TICK: Duration = Duration::from_secs(1);

/// A client's socket.
pub(super) struct ClientSocket {
    pub(super) messages: MessageStream<SessionStream>,
    pub(super) tcp: ConnectionHandle,
    /// Since when so much waits for the client that nothing more is sent.
    full_since: Option<Instant>,
}

impl ClientSocket {
    /// Nothing is sent yet.
    pub(super) fn new(messages: MessageStream<SessionStream>, tcp: ConnectionHandle) -> Self {
        Self {
            messages,
            tcp,
            full_since: None,
        }
    }

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
            .is_some_and(|since| now.duration_since(since) >= limits::SLOW_CONSUMER.get())
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

/// Serves a connection until one side ends it.
pub(super) async fn run(
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
    let mut user = None;
    let served = (&mut *connection, &mut inbound, &mut *socket);
    let end = converse(&app, served, &about, (trial.as_ref(), &mut user)).await;
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

async fn converse(
    app: &App,
    (connection, inbound, socket): (&mut Connection, &mut InboundReceiver, &mut ClientSocket),
    about: &Arc<OpenConnection>,
    (trial, user): (Option<&Arc<Trial>>, &mut Option<ConnectionPermit>),
) -> LoopEnd {
    let mut ending = trial.map(|trial| trial.ending());
    // Whether the next tick is as late as a calm connection allows.
    let mut is_slow = false;
    let mut tick = std::pin::pin!(rt::time::sleep(TICK));
    loop {
        if user.is_none() {
            *user = identify(app, connection, socket, about, trial.map(|trial| &**trial));
        }
        if let Err(end) = pump(connection, socket, about).await {
            return end;
        }
        about.note(connection);
        about.note_blocked(socket.full_since.is_some());
        if connection.is_drained() {
            connection.inbox().settle(inbound);
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
                    Ok(Some(message)) => receive(connection, socket, message).await,
                    Err(end) => Err(end),
                };
                if let Err(end) = received {
                    return end;
                }
            }
            Some(first) = inbound.recv() => take_all(connection, socket, first, inbound).await,
            () = ended(&mut ending) => {
                return LoopEnd::Close(Close::of(CloseCode::Revoked, "the trial has ended"));
            }
            () = &mut tick => {
                let now = Instant::now();
                connection.tick(now);
                is_slow = connection.is_calm() && socket.is_calm();
                let pause = if is_slow { CALM } else { TICK };
                tick.as_mut().reset((now + pause).into());
                if socket.full_since.is_some() {
                    app.connections.changed(about);
                }
                if let Some(close) = socket.overdue(now) {
                    return LoopEnd::Close(close);
                }
            }
        }
    }
}

/// Takes everything that the runtime has sent to the connection; what may take long in turns with
/// other connections of this thread.
async fn take_all(
    connection: &mut Connection,
    socket: &mut ClientSocket,
    first: Inbound,
    inbound: &mut InboundReceiver,
) {
    let mut next = Some(first);
    while let Some(entry) = next {
        if entry.may_take_long() {
            socket.messages.turn().await;
        }
        connection.take(entry);
        next = inbound.try_recv().ok();
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
