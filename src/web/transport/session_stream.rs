//! The bytes of a connection that can be dropped from elsewhere. A connection that continues in
//! another protocol has only this type: the HTTP library no longer has any part of it, so nothing
//! is counted.
//!
//! Not here: what HTTP adds while it reads (`stream`), how a connection leaves it (`take_over`),
//! the meaning of the bytes then (`websocket::message_stream`).

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, MutexGuard},
    task::{Context, Poll},
};

use actix_web::{rt::net::TcpStream, web::Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    ConnectionTable,
    connection::{ConnectionHandle, TcpConnection},
    state::{ConnectionEnd, ConnectionState},
};

/// The bytes of a connection, in both directions. Its place in the table is given back with it.
pub struct SessionStream {
    socket: TcpStream,
    connection: TablePlace,
    /// Bytes that arrived before, and are read first.
    pub(super) early: Bytes,
}

/// The place of a connection in its table, given back when dropped.
struct TablePlace(Arc<TcpConnection>);

impl Drop for TablePlace {
    fn drop(&mut self) {
        if let Some(table) = self.0.table.upgrade() {
            table.gone(&self.0);
        }
    }
}

impl SessionStream {
    pub(super) fn new(socket: TcpStream, connection: Arc<TcpConnection>) -> Self {
        Self {
            socket,
            connection: TablePlace(connection),
            early: Bytes::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ConnectionState> {
        self.connection.0.state()
    }

    /// The table that contains it, while the server runs.
    pub(super) fn table(&self) -> Option<Arc<ConnectionTable>> {
        self.connection.0.table.upgrade()
    }

    /// The peer's address.
    pub fn address(&self) -> IpAddr {
        self.connection.0.address
    }

    /// A handle that can drop it.
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle(self.connection.0.clone())
    }

    /// An error if the connection has to be dropped. Ending it later wakes this task.
    pub(super) fn unless_ended(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let connection = &self.connection.0;
        connection.waker.register(cx.waker());
        if connection.state().end() != Some(ConnectionEnd::Forced) {
            return Ok(());
        }
        // Bytes that the system has taken already may still arrive.
        let _ = Pin::new(&mut self.socket).poll_shutdown(cx);
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for SessionStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.unless_ended(cx)?;
        if this.early.is_empty() {
            return Pin::new(&mut this.socket).poll_read(cx, buffer);
        }
        let some = this.early.len().min(buffer.remaining());
        buffer.put_slice(&this.early.split_to(some));
        if this.early.is_empty() {
            this.early = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SessionStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.unless_ended(cx)?;
        Pin::new(&mut this.socket).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.unless_ended(cx)?;
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
