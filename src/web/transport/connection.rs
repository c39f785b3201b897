//! One connection, as shared by its stream, the table, and the handlers of its requests.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use actix_web::HttpRequest;
use futures_util::task::AtomicWaker;

use super::{
    ConnectionTable,
    framing::BodyKind,
    state::{ConnectionEnd, ConnectionState},
};

/// One connection.
pub struct TcpConnection {
    /// Its number in the table.
    pub(super) number: u64,
    /// The peer's address.
    pub(super) address: IpAddr,
    /// Wakes the tasks that read from and write to the socket.
    pub(super) waker: AtomicWaker,
    pub(super) table: Weak<ConnectionTable>,
    state: Mutex<ConnectionState>,
    is_known: AtomicBool,
}

impl TcpConnection {
    /// A new connection.
    pub(super) fn new(number: u64, address: IpAddr, table: Weak<ConnectionTable>) -> Self {
        Self {
            number,
            address,
            waker: AtomicWaker::new(),
            table,
            state: Mutex::new(ConnectionState::new(Instant::now())),
            is_known: AtomicBool::new(false),
        }
    }

    /// Its state. Nothing waits while it is locked.
    pub(super) fn state(&self) -> MutexGuard<'_, ConnectionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, and wakes the tasks that read or write so that they notice.
    pub(super) fn end_by(&self, end: ConnectionEnd) {
        self.state().end_by(end, Instant::now());
        self.waker.wake();
    }
}

/// The connection of a request, for its handler.
#[derive(Clone)]
pub struct ConnectionHandle(pub(super) Arc<TcpConnection>);

impl ConnectionHandle {
    /// The connection of this request; `None` with another transport, as in tests.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// Drops the connection now, whatever it is doing: for a peer that does not read any more. The
    /// library only ends a connection after it has written what it has.
    pub fn force_close(&self) {
        self.0.end_by(ConnectionEnd::Forced);
    }

    /// Records that the request is refused as over a rate, so that little of its body is read.
    pub fn is_over_rate(&self) {
        self.0.state().is_over_rate();
    }

    /// Records that a token was sent from the address, so that it no longer counts as a stranger's
    /// when connections are scarce.
    pub fn is_known(&self) {
        if self.0.is_known.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(table) = self.0.table.upgrade() {
            table.remember(self.0.address);
        }
    }

    /// The head of a request is complete, and this is its body.
    pub(super) fn request_begins(&self, body: BodyKind) {
        let has_more = self.0.state().request_begins(body, Instant::now());
        if has_more {
            self.0.waker.wake();
        }
    }

    /// Its response has been handed over.
    pub(super) fn request_ends(&self) {
        self.0.state().request_ends(Instant::now());
        self.0.waker.wake();
    }

    /// A part of a body was taken.
    pub(super) fn taken(&self) {
        self.0.state().taken();
        self.0.waker.wake();
    }
}
