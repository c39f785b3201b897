//! A websocket over the bytes of a connection: turns bytes into complete messages, and collects
//! outgoing frames until they are written.
//!
//! Headers pass the [`FrameGuard`] before the library that decodes frames sees them. When the guard
//! stops, messages before the bad frame are still handled, and nothing after them is buffered. A
//! message of more than a few KiB takes memory from the pot for bodies, and has to arrive at their
//! pace. While nothing is in progress nothing is buffered, because most connections are idle.
//!
//! Not here: the content of messages (`session`), deadlines of sending, and the end (`socket`,
//! `close_handshake`).
//!
//! # Rationale
//!
//! **All outgoing frames are written at once**, however many a commit has for a client: a system
//! call costs more than everything before it.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use actix_codec::{Decoder, Encoder};
use actix_http::ws::{Codec, Frame, Item, Message as Outgoing, ProtocolError};
use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    super::{body_pace::BodyPace, transport::thread_turns},
    frame_guard::{FrameGuard, StreamStop},
};
use crate::{
    limits::{self, PotPlace},
    session::protocol::close::{Close, CloseCode},
};

/// Messages up to this length take no memory from the pot: what is read ahead may be longer.
const SMALL: usize = 4 * 1024;
/// The most bytes that are read at once.
const READ: usize = 16 * 1024;
/// With this many bytes to be written, nothing more is encoded.
const UNWRITTEN: usize = 16 * 1024;
/// A text from this length on is written as it is; its length takes eight bytes of its head (RFC 6455,
/// section 5.2).
const LONG: usize = 1 << 16;
/// How the head of an unfragmented text begins, and the length that says that another one follows.
const LAST_TEXT: u8 = 0x81;
const LENGTH_FOLLOWS: u8 = 127;

/// A message of the client.
#[derive(Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// Text.
    Text(ByteString),
    /// Bytes.
    Binary(Bytes),
    /// A ping, to be answered with its payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The client closes the websocket.
    Close,
}

/// Why no more messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The client has disconnected: nothing can be sent any more.
    Disconnected,
    /// The websocket has to be closed with this code, because of a frame of the client.
    Close(CloseCode),
}

/// A websocket.
pub struct MessageStream<S> {
    io: S,
    from: IpAddr,
    codec: Codec,
    guard: FrameGuard,
    /// Bytes that have passed the guard and are not decoded.
    unread: BytesMut,
    /// The fragments of a message, and whether it is text.
    fragments: Option<(bool, BytesMut)>,
    unfinished: Unfinished,
    unwritten: BytesMut,
    /// What is left of a long text that follows: it is not copied, as it may wait for many clients.
    long: Bytes,
    over: Option<StreamEnd>,
}

/// The message that is arriving.
struct Unfinished {
    /// Its memory; `None` without a pot, as in tests.
    room: Option<PotPlace>,
    /// Its pace, if it has one.
    pace: Option<BodyPace>,
}

impl Unfinished {
    /// Records how many bytes its frames have declared, and how many have just arrived; returns
    /// whether there is memory for it.
    fn received(&mut self, declared: usize, bytes: usize) -> bool {
        let begun = || BodyPace::new(Instant::now(), limits::BODY_TIME.get());
        self.pace = (declared > 0).then(|| self.pace.unwrap_or_else(begun).after(bytes));
        let held = if declared > SMALL { declared } else { 0 };
        self.room.as_mut().is_none_or(|room| room.resize(held))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> MessageStream<S> {
    /// A websocket after its handshake, of a client at this address. Messages are as long as `guard`
    /// allows, the first up to `longest`; long ones take memory from `room`.
    pub fn new(
        io: S,
        from: IpAddr,
        longest: usize,
        guard: FrameGuard,
        room: Option<PotPlace>,
    ) -> Self {
        Self {
            io,
            from: limits::network(from),
            codec: Codec::new().max_size(longest),
            guard,
            unread: BytesMut::new(),
            fragments: None,
            unfinished: Unfinished { room, pace: None },
            unwritten: BytesMut::new(),
            long: Bytes::new(),
            over: None,
        }
    }

    /// Whether a message is incomplete.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished.pace.is_some()
    }

    /// Whether the rest of a message arrives too slowly.
    pub fn is_late(&self, now: Instant) -> bool {
        let pace = self.unfinished.pace;
        pace.is_some_and(|pace| pace.deadline() <= now)
    }

    /// From here on, messages take their memory with this permit.
    pub fn take_room_by(&mut self, mut permit: PotPlace) {
        let room = &mut self.unfinished.room;
        let held = room.as_ref().map_or(0, PotPlace::amount);
        if permit.resize(held) {
            *room = Some(permit);
        }
    }

    /// Waits for a turn of this thread in which something is done for this client.
    pub async fn turn(&self) {
        poll_fn(|cx| thread_turns::poll(self.from, cx)).await;
    }

    /// The next message.
    ///
    /// # Errors
    /// Why there is none, after all earlier messages were returned.
    pub async fn message(&mut self) -> Result<ClientMessage, StreamEnd> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// As [`Self::message`].
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<ClientMessage, StreamEnd>> {
        ready!(thread_turns::poll(self.from, cx));
        loop {
            match self.decode() {
                Ok(Some(message)) => return Poll::Ready(Ok(message)),
                Ok(None) => {}
                Err(code) => {
                    self.unread = BytesMut::new();
                    self.over = Some(StreamEnd::Close(code));
                }
            }
            if let Some(over) = self.over {
                return Poll::Ready(Err(over));
            }
            if self.unread.is_empty() {
                // The buffer of an earlier message is not kept while nothing arrives.
                self.unread = BytesMut::new();
            }
            ready!(self.poll_fill(cx));
        }
    }

    /// The next complete message in the bytes that were read.
    fn decode(&mut self) -> Result<Option<ClientMessage>, CloseCode> {
        while let Some(frame) = self.codec.decode(&mut self.unread).map_err(code_of)? {
            let message = match frame {
                Frame::Text(text) => ClientMessage::Text(utf8(text)?),
                Frame::Binary(bytes) => ClientMessage::Binary(bytes),
                Frame::Ping(payload) => ClientMessage::Ping(payload),
                Frame::Pong(payload) => ClientMessage::Pong(payload),
                Frame::Close(_) => ClientMessage::Close,
                Frame::Continuation(item) => match self.gather(item)? {
                    Some(message) => message,
                    None => continue,
                },
            };
            return Ok(Some(message));
        }
        Ok(None)
    }

    /// The message whose last fragment this is. The guard bounds their total size.
    fn gather(&mut self, item: Item) -> Result<Option<ClientMessage>, CloseCode> {
        let is_last = matches!(item, Item::Last(_));
        match item {
            Item::FirstText(bytes) => self.fragments = Some((true, bytes.into())),
            Item::FirstBinary(bytes) => self.fragments = Some((false, bytes.into())),
            Item::Continue(bytes) | Item::Last(bytes) => {
                if let Some((_, whole)) = &mut self.fragments {
                    whole.extend_from_slice(&bytes);
                }
            }
        }
        if !is_last {
            return Ok(None);
        }
        Ok(match self.fragments.take() {
            Some((true, whole)) => Some(ClientMessage::Text(utf8(whole.freeze())?)),
            Some((false, whole)) => Some(ClientMessage::Binary(whole.freeze())),
            None => None,
        })
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut read = [const { MaybeUninit::uninit() }; READ];
        let mut read = ReadBuf::uninit(&mut read);
        match ready!(Pin::new(&mut self.io).poll_read(cx, &mut read)) {
            Ok(()) if !read.filled().is_empty() => self.received(read.filled()),
            Ok(()) | Err(_) => self.over = Some(StreamEnd::Disconnected),
        }
        Poll::Ready(())
    }

    fn received(&mut self, bytes: &[u8]) {
        let found = self.guard.inspect(bytes);
        let declared = self.guard.unfinished() as usize;
        let fits = self.unfinished.received(declared, bytes.len());
        let code = found.stop.map(|stop| match stop {
            StreamStop::TooBig => CloseCode::TooBig,
            StreamStop::Protocol(_) => CloseCode::Protocol,
            StreamStop::Closed => CloseCode::Normal,
        });
        let code = code.or((!fits).then_some(CloseCode::TryAgain));
        self.over = code.map(StreamEnd::Close);
        self.unread.extend_from_slice(&bytes[..found.pass]);
    }

    /// Waits until the client has disconnected, and discards what it still sends: if bytes were
    /// left unread, the system would reset the connection before our Close has arrived.
    pub async fn disconnected(&mut self) {
        self.unread = BytesMut::new();
        let mut read = vec![0; SMALL];
        loop {
            let mut read = ReadBuf::new(&mut read);
            let received = poll_fn(|cx| Pin::new(&mut self.io).poll_read(cx, &mut read)).await;
            if received.is_err() || read.filled().is_empty() {
                return;
            }
        }
    }

    /// Queues a text.
    pub fn send(&mut self, text: ByteString) {
        if text.len() < LONG || !self.long.is_empty() {
            return self.encode(Outgoing::Text(text));
        }
        let mut head = [LAST_TEXT, LENGTH_FOLLOWS, 0, 0, 0, 0, 0, 0, 0, 0];
        head[2..].copy_from_slice(&(text.len() as u64).to_be_bytes());
        self.unwritten.extend_from_slice(&head);
        self.long = text.into_bytes();
    }

    /// Queues the answer to a ping.
    pub fn pong(&mut self, payload: Bytes) {
        self.encode(Outgoing::Pong(payload));
    }

    /// Queues bytes.
    pub fn send_binary(&mut self, bytes: Bytes) {
        self.encode(Outgoing::Binary(bytes));
    }

    /// Queues the Close.
    pub fn close(&mut self, close: Close) {
        let reason = actix_http::ws::CloseReason {
            code: close.code.number().into(),
            description: Some(close.reason.into_owned()),
        };
        self.encode(Outgoing::Close(Some(reason)));
    }

    fn encode(&mut self, message: Outgoing) {
        self.unwritten.extend_from_slice(&self.long);
        self.long = Bytes::new();
        // Only fragments can be refused, and none are sent.
        let _ = self.codec.encode(message, &mut self.unwritten);
    }

    /// Whether so much is queued that it has to be written first.
    pub fn is_full(&self) -> bool {
        self.unwritten.len() + self.long.len() >= UNWRITTEN
    }

    /// Whether anything is queued.
    pub fn is_unwritten(&self) -> bool {
        !(self.unwritten.is_empty() && self.long.is_empty())
    }

    /// Writes as much as the client takes now. Ready when everything is written.
    ///
    /// # Errors
    /// The client has disconnected.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.unwritten))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.unwritten.advance(written),
            }
        }
        self.unwritten = BytesMut::new();
        while !self.long.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.long))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.long.advance(written),
            }
        }
        self.long = Bytes::new();
        Poll::Ready(Ok(()))
    }

    /// Continues to write. Ready when everything is written, or when there is room again.
    ///
    /// # Errors
    /// The client has disconnected.
    pub fn poll_write_on(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let was_full = self.is_full();
        match self.poll_flush(cx) {
            Poll::Pending if was_full && !self.is_full() => Poll::Ready(Ok(())),
            polled => polled,
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// The client has disconnected.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }
}

fn utf8(bytes: Bytes) -> Result<ByteString, CloseCode> {
    ByteString::try_from(bytes).map_err(|_| CloseCode::Utf8)
}

/// The close code for a broken frame.
fn code_of(error: ProtocolError) -> CloseCode {
    match error {
        ProtocolError::Overflow => CloseCode::TooBig,
        _ => CloseCode::Protocol,
    }
}

#[cfg(test)]
mod tests;
