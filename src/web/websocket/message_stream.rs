//! A websocket over the bytes of a connection: whole messages come out of what is read, and what is
//! to be sent gathers until it is written.
//!
//! Headers pass the [`FrameGuard`] before the library that decodes frames sees them. When the guard
//! stops, what was sent before the bad frame is still handled, and nothing of it or after it is
//! held. A message of more than a few KiB takes room in the memory for bodies, and its rest has to
//! come in at their pace. While nothing is on its way, nothing is held either: most connections are
//! idle.
//!
//! Not here: what messages say (`session`), deadlines of sending and the end (`socket`, `goodbye`).
//!
//! # Why so
//!
//! **What is sent goes out in one write**, however many frames a commit has for a client: a call to
//! the system costs more than all that comes before it.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
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
    frame_guard::{FrameGuard, Stop},
};
use crate::{
    limits::{self, PotPlace},
    session::protocol::close::{Close, CloseCode},
};

/// Messages up to this length take no room: what is read ahead of a connection may be longer.
const SMALL: usize = 4 * 1024;
/// So much is read at once, at most.
const READ: usize = 16 * 1024;
/// With so much to be written nothing more is encoded.
const UNWRITTEN: usize = 16 * 1024;

/// A message of the client.
#[derive(Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// Text.
    Text(ByteString),
    /// Bytes.
    Binary(Bytes),
    /// A ping, which wants its payload back.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The client ends the websocket.
    Close,
}

/// Why no more messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The client is gone: nothing can be sent any more.
    Gone,
    /// What the client sent is to be closed with this.
    Close(CloseCode),
}

/// A websocket.
pub struct MessageStream<S> {
    io: S,
    codec: Codec,
    guard: FrameGuard,
    /// What has passed the guard and is not decoded.
    unread: BytesMut,
    /// The fragments of a message, and whether it is a text.
    fragments: Option<(bool, BytesMut)>,
    unfinished: Unfinished,
    unwritten: BytesMut,
    over: Option<Over>,
}

/// The message that is coming in.
struct Unfinished {
    /// Its room; `None` outside of a whole server.
    room: Option<PotPlace>,
    /// Its pace, while there is one.
    pace: Option<BodyPace>,
}

impl Unfinished {
    /// Notes that its frames have declared so many bytes, and so many have just come in; whether
    /// there is room for it.
    fn came(&mut self, declared: usize, bytes: usize) -> bool {
        let begun = || BodyPace::new(Instant::now(), limits::BODY_TIME);
        self.pace = (declared > 0).then(|| self.pace.unwrap_or_else(begun).after(bytes));
        let held = if declared > SMALL { declared } else { 0 };
        self.room.as_mut().is_none_or(|room| room.resize(held))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> MessageStream<S> {
    /// A websocket whose handshake is done. Messages are as long as `guard` allows, the first up to
    /// `longest`; long ones take `room`.
    pub fn new(io: S, longest: usize, guard: FrameGuard, room: Option<PotPlace>) -> Self {
        Self {
            io,
            codec: Codec::new().max_size(longest),
            guard,
            unread: BytesMut::new(),
            fragments: None,
            unfinished: Unfinished { room, pace: None },
            unwritten: BytesMut::new(),
            over: None,
        }
    }

    /// Whether the rest of a message has still to come in.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished.pace.is_some()
    }

    /// Whether the rest of a message has been coming in too slowly.
    pub fn is_late(&self, now: Instant) -> bool {
        let pace = self.unfinished.pace;
        pace.is_some_and(|pace| pace.deadline() <= now)
    }

    /// From here on, messages take their room by this permit.
    pub fn take_room_by(&mut self, mut permit: PotPlace) {
        let room = &mut self.unfinished.room;
        let held = room.as_ref().map_or(0, PotPlace::amount);
        if permit.resize(held) {
            *room = Some(permit);
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// Why there is none, once all that came before it were taken.
    pub async fn message(&mut self) -> Result<ClientMessage, Over> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// As [`Self::message`].
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<ClientMessage, Over>> {
        ready!(thread_turns::poll(cx));
        loop {
            match self.decode() {
                Ok(Some(message)) => return Poll::Ready(Ok(message)),
                Ok(None) => {}
                Err(code) => {
                    self.unread = BytesMut::new();
                    self.over = Some(Over::Close(code));
                }
            }
            if let Some(over) = self.over {
                return Poll::Ready(Err(over));
            }
            if self.unread.is_empty() {
                // Not what an earlier message was read with, while nothing comes.
                self.unread = BytesMut::new();
            }
            ready!(self.poll_fill(cx));
        }
    }

    /// The next whole message of what has been read.
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

    /// The message whose last fragment this is. The guard bounds all of them together.
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
            Ok(()) if !read.filled().is_empty() => self.came(read.filled()),
            Ok(()) | Err(_) => self.over = Some(Over::Gone),
        }
        Poll::Ready(())
    }

    fn came(&mut self, bytes: &[u8]) {
        let found = self.guard.inspect(bytes);
        let declared = self.guard.unfinished() as usize;
        let fits = self.unfinished.came(declared, bytes.len());
        let code = found.stop.map(|stop| match stop {
            Stop::TooBig => CloseCode::TooBig,
            Stop::Protocol(_) => CloseCode::Protocol,
            Stop::Closed => CloseCode::Normal,
        });
        let code = code.or((!fits).then_some(CloseCode::TryAgain));
        self.over = code.map(Over::Close);
        self.unread.extend_from_slice(&bytes[..found.pass]);
    }

    /// Waits until the client is gone, and throws away what it still sends: unread bytes would make
    /// the system reset the connection before our Close has arrived.
    pub async fn gone(&mut self) {
        self.unread = BytesMut::new();
        let mut read = vec![0; SMALL];
        loop {
            let mut read = ReadBuf::new(&mut read);
            let came = poll_fn(|cx| Pin::new(&mut self.io).poll_read(cx, &mut read)).await;
            if came.is_err() || read.filled().is_empty() {
                return;
            }
        }
    }

    /// Takes a text to be sent.
    pub fn send(&mut self, text: ByteString) {
        self.encode(Outgoing::Text(text));
    }

    /// Takes the answer to a ping.
    pub fn pong(&mut self, payload: Bytes) {
        self.encode(Outgoing::Pong(payload));
    }

    /// Takes bytes to be sent.
    pub fn send_binary(&mut self, bytes: Bytes) {
        self.encode(Outgoing::Binary(bytes));
    }

    /// Takes the Close.
    pub fn close(&mut self, close: Close) {
        let reason = actix_http::ws::CloseReason {
            code: close.code.number().into(),
            description: Some(close.reason.into_owned()),
        };
        self.encode(Outgoing::Close(Some(reason)));
    }

    fn encode(&mut self, message: Outgoing) {
        // Only fragments can be refused, and none are sent.
        let _ = self.codec.encode(message, &mut self.unwritten);
    }

    /// Whether so much is to be written that it has to go out first.
    pub fn is_full(&self) -> bool {
        self.unwritten.len() >= UNWRITTEN
    }

    /// Whether something is to be written.
    pub fn is_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Writes what there is, as far as the client takes it now. Ready when all of it is out.
    ///
    /// # Errors
    /// The client is gone.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.unwritten))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.unwritten.advance(written),
            }
        }
        self.unwritten = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// Writes on. Ready when all is out, or when there is room again where there was none.
    ///
    /// # Errors
    /// The client is gone.
    pub fn poll_write_on(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let was_full = self.is_full();
        match self.poll_flush(cx) {
            Poll::Pending if was_full && !self.is_full() => Poll::Ready(Ok(())),
            polled => polled,
        }
    }

    /// Writes all there is.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }
}

fn utf8(bytes: Bytes) -> Result<ByteString, CloseCode> {
    ByteString::try_from(bytes).map_err(|_| CloseCode::Utf8)
}

/// What a broken frame is closed with.
fn code_of(error: ProtocolError) -> CloseCode {
    match error {
        ProtocolError::Overflow => CloseCode::TooBig,
        _ => CloseCode::Protocol,
    }
}

#[cfg(test)]
mod tests;
