//! The stream between the HTTP library and a socket.

use std::{
    io,
    pin::Pin,
    sync::{Arc, MutexGuard},
    task::{Context, Poll, ready},
    time::Instant,
};

use actix_web::{rt::net::TcpStream, web::Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    connection::{ConnectionHandle, TcpConnection},
    raw_answer,
    session_stream::SessionStream,
    state::{ConnectionEnd, ConnectionState, Reading},
    thread_turns,
};

/// The bytes of a connection while the HTTP library reads it; they and their times are counted. The
/// `early` bytes in `bytes` follow the present request: at most one read.
pub struct GuardedStream {
    bytes: SessionStream,
}

impl GuardedStream {
    pub(super) fn new(socket: TcpStream, connection: Arc<TcpConnection>) -> Self {
        Self {
            bytes: SessionStream::new(socket, connection),
        }
    }

    /// The same connection without the HTTP library, which had read these bytes before.
    pub(super) fn into_session(mut self, read: Bytes) -> SessionStream {
        self.state().session_begins(Instant::now());
        let early = &mut self.bytes.early;
        // The library's buffer of 8 KiB is not kept without need.
        *early = match (read.is_empty(), early.is_empty()) {
            (true, true) => Bytes::new(),
            (false, true) => read,
            (_, false) => [read, std::mem::take(early)].concat().into(),
        };
        self.bytes
    }

    /// A handle for the handlers of its requests.
    pub fn handle(&self) -> ConnectionHandle {
        self.bytes.handle()
    }

    fn state(&self) -> MutexGuard<'_, ConnectionState> {
        self.bytes.state()
    }

    /// Sends the reason why nothing is read any more, if that is useful and no response is in
    /// progress.
    fn send_reason(&mut self, end: ConnectionEnd, cx: &mut Context<'_>) {
        let answer = match end {
            ConnectionEnd::SlowHead => raw_answer::slow_head(),
            ConnectionEnd::LongHead => raw_answer::long_head(),
            ConnectionEnd::Idle | ConnectionEnd::Forced => return,
        };
        if !self.state().is_answering() {
            let _ = Pin::new(&mut self.bytes).poll_write(cx, answer);
        }
    }

    /// Passes to the library the bytes that it may have, first those that wait.
    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let early = &self.bytes.early;
        if !early.is_empty() {
            let maximum = early.len().min(buffer.remaining());
            let some = self
                .bytes
                .state()
                .received(&early[..maximum], Instant::now());
            buffer.put_slice(&self.bytes.early.split_to(some));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.bytes).poll_read(cx, buffer))?;
        let received = &buffer.filled()[before..];
        let some = self.state().received(received, Instant::now());
        let is_end = received.is_empty();
        if some < received.len() {
            self.bytes.early = Bytes::copy_from_slice(&received[some..]);
        }
        buffer.set_filled(before + some);
        match some {
            // Zero bytes mean the end of the connection, so nothing else may return them.
            0 if !is_end => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn may_read(&self) -> Reading {
        let Some(table) = self.bytes.table() else {
            return Reading::Over(ConnectionEnd::Forced);
        };
        self.state().reading(&table.limits, Instant::now())
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Before the state is checked: a later change of it wakes this reader.
        this.bytes.unless_ended(cx)?;
        if thread_turns::poll(this.bytes.address(), cx).is_pending() {
            return Poll::Pending;
        }
        match this.may_read() {
            Reading::Open => this.read(cx, buffer),
            // A peer that has disconnected waits for no response.
            Reading::Whole if this.bytes.early.is_empty() => this.read(cx, buffer),
            Reading::Later => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Reading::Whole | Reading::Full => Poll::Pending,
            Reading::Over(ConnectionEnd::Forced) => {
                this.bytes.unless_ended(cx)?;
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            Reading::Over(end) => {
                this.send_reason(end, cx);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.bytes).poll_write(cx, bytes);
        let written = match &polled {
            Poll::Ready(Ok(written)) => Some(*written),
            Poll::Ready(Err(_)) => Some(0),
            Poll::Pending => None,
        };
        this.state().wrote(written, Instant::now());
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // The library flushes when it has written everything.
        this.state().flushed();
        Pin::new(&mut this.bytes).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().bytes).poll_shutdown(cx)
    }
}
