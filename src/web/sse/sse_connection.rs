//! Sends the frames of a read-only connection as server-sent events: one event per frame, one chunk
//! per event.
//!
//! One task per stream takes the messages of the runtime and hands over one event at a time; the
//! HTTP library asks for the next when the socket has room. The head of the response and its
//! comments: `sse_response`. The content of frames: `session`.
//!
//! # Rationale
//!
//! **A stream is a connection that only sends**: one implementation for websocket and server-sent
//! events. After the end, 204 prevents a browser's EventSource from reconnecting forever.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    rt,
    web::{Bytes, Data},
};
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

use super::super::{
    http::{
        app::App,
        connections::ConnectionPermit,
        open_connection::{OpenConnection, Protocol},
    },
    transport::ConnectionHandle,
};
use crate::{
    limits,
    session::{
        auth::principal::Principal,
        connection::Connection,
        inbox::{Inbound, InboundReceiver},
        protocol::{
            close::CloseCode,
            server::{Bye, ServerFrame},
        },
        subscription::tree_cursor::{Mark, TreeCursor},
    },
};

/// How often a stream checks its deadlines.
const TICK: Duration = Duration::from_secs(1);

/// A receiver of an instance's stream.
pub struct Listening {
    connection: Connection,
    inbound: InboundReceiver,
    cursor: TreeCursor,
    about: Arc<OpenConnection>,
    /// The next event, if it is known.
    next: Option<Bytes>,
    /// When a browser may reconnect, once the server is stopping.
    reconnect_after_ms: Option<u64>,
    /// Given back when the stream ends.
    _places: Vec<ConnectionPermit>,
}

impl Listening {
    /// Follows from `cursor` on, with or without schemas of actions.
    pub fn open(
        app: &Data<App>,
        (principal, address): (Principal, Option<IpAddr>),
        cursor: TreeCursor,
        schemas: bool,
        mut places: Vec<ConnectionPermit>,
    ) -> Self {
        let (sessions, now) = (app.sessions.clone(), Instant::now());
        let (connection, inbound, cursor) =
            Connection::listening(sessions, principal.clone(), cursor, schemas, now);
        let about = OpenConnection::new(connection.id(), Protocol::Events, address);
        let about = Arc::new(about);
        places.push(app.connections.opened(connection.inbox(), &about));
        app.connections.identified(&about, &principal, None);
        Self {
            connection,
            inbound,
            cursor,
            about,
            next: None,
            reconnect_after_ms: None,
            _places: places,
        }
    }

    /// Waits until it is known whether anything will be sent: nothing is if everything has ended
    /// and the client has all of it.
    pub async fn has_something(&mut self) -> bool {
        loop {
            self.next = self.next_event();
            if self.next.is_some() || self.connection.closing().is_some() {
                return true;
            }
            if self.connection.is_drained() {
                return !self.connection.is_over();
            }
            let Some(inbound) = self.inbound.recv().await else {
                return true;
            };
            self.take(inbound);
        }
    }

    /// The events, to their end. A client that does not read for too long is dropped.
    pub fn events(self, tcp: Option<ConnectionHandle>) -> impl Stream<Item = Bytes> {
        let (sender, mut events) = mpsc::channel(1);
        rt::spawn(self.run(sender, tcp));
        stream::poll_fn(move |context| events.poll_recv(context))
    }

    async fn run(mut self, sender: mpsc::Sender<Bytes>, tcp: Option<ConnectionHandle>) {
        let mut tick = rt::time::interval(TICK);
        let mut since = Instant::now();
        loop {
            if self.next.is_none() {
                since = Instant::now();
                self.next = self.next_event();
            }
            if self.next.is_none() {
                if self.connection.closing().is_some() || self.connection.is_over() {
                    break;
                }
                self.connection.inbox().settle(&self.inbound);
            }
            self.about.note(&self.connection);
            tokio::select! {
                room = sender.reserve(), if self.next.is_some() => match (room, self.next.take()) {
                    (Ok(room), Some(event)) => {
                        room.send(event);
                        self.about.note_sent();
                    }
                    _ => return,
                },
                () = sender.closed() => return,
                Some(first) = self.inbound.recv() => {
                    self.take(first);
                    while let Ok(next) = self.inbound.try_recv() {
                        self.take(next);
                    }
                }
                _ = tick.tick() => {
                    self.connection.tick(Instant::now());
                    // The HTTP library takes an event when the system has taken the previous one.
                    self.about.note_blocked(self.next.is_some() && since.elapsed() >= TICK);
                    if self.next.is_some() && since.elapsed() >= limits::SLOW_CONSUMER.get() {
                        return tcp.iter().for_each(ConnectionHandle::force_close);
                    }
                }
            }
        }
        // A client that does not read its last event would keep the connection open forever.
        if rt::time::timeout(limits::CLOSE_REPLY, self.send_close(&sender))
            .await
            .is_err()
        {
            tcp.iter().for_each(ConnectionHandle::force_close);
        }
    }

    async fn send_close(&self, sender: &mpsc::Sender<Bytes>) {
        let reason = match self.connection.closing().map(|close| close.code) {
            None => "ended",
            Some(CloseCode::Token) => "token_expired",
            Some(CloseCode::Revoked) => "revoked",
            // The connection has said goodbye itself.
            Some(_) => return,
        };
        let bye = Bye {
            reason,
            reconnect_after_ms: None,
        }
        .text();
        let _ = sender.send(event("", &bye)).await;
    }

    fn take(&mut self, inbound: Inbound) {
        if let Inbound::Drain { reconnect_after_ms } = inbound {
            self.reconnect_after_ms = Some(reconnect_after_ms);
        }
        self.connection.take(inbound);
        if self
            .connection
            .closing()
            .is_some_and(|close| matches!(close.code, CloseCode::Revoked | CloseCode::ByOperator))
        {
            // Waiting frames are not for a user whose access was revoked, and not waited for when
            // an operator closes the connection.
            self.next = None;
        }
    }

    fn next_event(&mut self) -> Option<Bytes> {
        let (text, mark) = self.connection.next_marked()?;
        let head = match &mark {
            Some(mark) => self.id_after(mark),
            // The last frame announces the end.
            None if self.connection.is_drained() => self
                .reconnect_after_ms
                .map(|after| format!("retry: {after}\n"))
                .unwrap_or_default(),
            None => String::new(),
        };
        Some(event(&head, &text))
    }

    fn id_after(&mut self, mark: &Mark) -> String {
        self.cursor.advance(mark);
        format!("id: {}\n", self.cursor)
    }
}

/// An event without a name, so that `onmessage` receives it. A frame is JSON on one line.
fn event(head: &str, frame: &str) -> Bytes {
    format!("{head}data: {frame}\n\n").into()
}
