//! The stream that stands between the HTTP library and a socket.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use actix_web::{rt::net::TcpStream, web::Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    connection::{ConnectionHandle, TcpConnection},
    raw_answer,
    session_stream::{Place, SessionStream},
    state::{End, Reading},
};
use crate::runtime::thread_turns;

/// A socket whose bytes and times are counted. Its place in the table is given back with it.
pub struct GuardedStream {
    socket: TcpStream,
    connection: Place,
    /// What came behind the request that the library has: one read at most.
    waiting: Bytes,
}

impl GuardedStream {
    pub(super) fn new(socket: TcpStream, connection: Arc<TcpConnection>) -> Self {
        Self {
            socket,
            connection: Place(connection),
            waiting: Bytes::new(),
        }
    }

    /// The same bytes without the HTTP library, which had read some of them before.
    pub(super) fn into_session(self, read: Bytes) -> SessionStream {
        self.connection.0.state().session_begins(Instant::now());
        // The library's buffer is not kept for nothing: it is 8 KiB.
        let early = match (read.is_empty(), self.waiting.is_empty()) {
            (true, true) => Bytes::new(),
            (false, true) => read,
            (_, false) => [read, self.waiting].concat().into(),
        };
        SessionStream {
            socket: self.socket,
            connection: self.connection,
            early,
        }
    }

    /// A handle for whoever handles its requests.
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle(self.connection.0.clone())
    }

    /// An error when the connection has to be dropped whatever it is doing.
    fn unless_forced(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.connection.0.state().end() != Some(End::Forced) {
            return Ok(());
        }
        // What the system has taken already may still arrive.
        let _ = Pin::new(&mut self.socket).poll_shutdown(cx);
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Says why nothing is read any more, where that is of use and nothing else is being said.
    fn say_why(&mut self, end: End, cx: &mut Context<'_>) {
        let answer = match end {
            End::SlowHead => raw_answer::slow_head(),
            End::LongHead => raw_answer::long_head(),
            End::Idle | End::Forced => return,
        };
        if !self.connection.0.state().is_answering() {
            let _ = Pin::new(&mut self.socket).poll_write(cx, answer);
        }
    }

    /// Gives the library what of the bytes that came is its own, first of those that wait.
    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.waiting.is_empty() {
            let most = self.waiting.len().min(buffer.remaining());
            let some = self
                .connection
                .0
                .state()
                .came(&self.waiting[..most], Instant::now());
            buffer.put_slice(&self.waiting.split_to(some));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        let came = &buffer.filled()[before..];
        let some = self.connection.0.state().came(came, Instant::now());
        let is_end = came.is_empty();
        if some < came.len() {
            self.waiting = Bytes::copy_from_slice(&came[some..]);
        }
        buffer.set_filled(before + some);
        match some {
            // The end of the connection is told by no bytes, so nothing else may be.
            0 if !is_end => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn may_read(&self) -> Reading {
        let Some(table) = self.connection.0.table.upgrade() else {
            return Reading::Over(End::Forced);
        };
        self.connection
            .0
            .state()
            .reading(&table.limits, Instant::now())
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Before the state is looked at: whoever changes it later wakes this reader.
        this.connection.0.waker.register(cx.waker());
        if thread_turns::poll(cx).is_pending() {
            return Poll::Pending;
        }
        match this.may_read() {
            Reading::Open => this.read(cx, buffer),
            // Somebody who is gone waits for no answer.
            Reading::Whole if this.waiting.is_empty() => this.read(cx, buffer),
            Reading::Later => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Reading::Whole | Reading::Full => Poll::Pending,
            Reading::Over(End::Forced) => {
                this.unless_forced(cx)?;
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            Reading::Over(end) => {
                this.say_why(end, cx);
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
        this.connection.0.waker.register(cx.waker());
        this.unless_forced(cx)?;
        let polled = Pin::new(&mut this.socket).poll_write(cx, bytes);
        let written = match &polled {
            Poll::Ready(Ok(written)) => Some(*written),
            Poll::Ready(Err(_)) => Some(0),
            Poll::Pending => None,
        };
        this.connection.0.state().wrote(written, Instant::now());
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.unless_forced(cx)?;
        // The library flushes when it has written everything.
        this.connection.0.state().flushed();
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
