//! Puts the frame guard in front of the websocket library: the library reads a request body that
//! ends where the guard says.
//!
//! When the guard stops, the body *ends* instead of failing: the library then still yields every
//! message that came whole before, and after them the end of the stream. The reader asks the
//! [`GuardVerdict`] at that end, and closes with the code it names; so what was sent before a bad
//! frame is handled, and nothing of it or after it is buffered.
//!
//! The library holds a message until it is whole. So a message of more than a few KiB takes room in
//! the memory for bodies first, and its rest has to come in at their pace.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Instant,
};

use actix_web::{
    Error, FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    web::{self, Bytes},
};
use futures_util::Stream;

use super::{
    super::body_pace::BodyPace,
    frame_guard::{FrameGuard, Stop},
};
use crate::limits::{self, PotPlace};

/// Messages up to this length take no room: what is read ahead of a connection may be longer.
const SMALL: usize = 4 * 1024;

/// Why the guard ended the body, if it has.
#[derive(Clone)]
pub struct GuardVerdict {
    stop: Rc<Cell<Option<Stop>>>,
    body: Rc<RefCell<Payload>>,
    message: Rc<RefCell<Unfinished>>,
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

impl GuardVerdict {
    /// The verdict so far. InstanceRequest when the message stream has ended: `None` there means that the peer
    /// is gone.
    pub fn stop(&self) -> Option<Stop> {
        self.stop.get()
    }

    /// Whether the rest of a message has still to come in.
    pub fn is_unfinished(&self) -> bool {
        self.message.borrow().pace.is_some()
    }

    /// Whether the rest of a message has been coming in too slowly.
    pub fn is_late(&self, now: Instant) -> bool {
        let pace = self.message.borrow().pace;
        pace.is_some_and(|pace| pace.deadline() <= now)
    }

    /// From here on, messages take their room by this permit.
    pub fn take_room_by(&self, mut permit: PotPlace) {
        let mut message = self.message.borrow_mut();
        let held = message.room.as_ref().map_or(0, PotPlace::amount);
        if permit.resize(held) {
            message.room = Some(permit);
        }
    }

    /// Waits until the peer has closed the connection, and throws away what it still sends. For
    /// after a stop: the library reads no more then, and unread bytes would make the system reset
    /// the connection before our Close has arrived.
    pub async fn peer_gone(&self) {
        while let Some(Ok(_)) =
            poll_fn(|cx| Pin::new(&mut *self.body.borrow_mut()).poll_next(cx)).await
        {}
    }
}

/// The body of a websocket request, guarded: messages that are too long for the guard and broken
/// headers end it.
pub async fn guard(
    request: &HttpRequest,
    body: web::Payload,
    guard: FrameGuard,
    room: Option<PotPlace>,
) -> Result<(web::Payload, GuardVerdict), Error> {
    let verdict = GuardVerdict {
        stop: Rc::default(),
        body: Rc::new(RefCell::new(body.into_inner())),
        message: Rc::new(RefCell::new(Unfinished { room, pace: None })),
    };
    let guarded = GuardedPayload {
        guard,
        verdict: verdict.clone(),
    };
    // `web::Payload` has no public constructor but its extractor.
    let mut payload: Payload = Payload::Stream {
        payload: Box::pin(guarded),
    };
    Ok((
        web::Payload::from_request(request, &mut payload).await?,
        verdict,
    ))
}

struct GuardedPayload {
    guard: FrameGuard,
    verdict: GuardVerdict,
}

impl Stream for GuardedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.verdict.stop().is_some() {
            return Poll::Ready(None);
        }
        let Some(chunk) = ready!(Pin::new(&mut *this.verdict.body.borrow_mut()).poll_next(cx)?)
        else {
            return Poll::Ready(None);
        };
        let found = this.guard.inspect(&chunk);
        let declared = this.guard.unfinished() as usize;
        let fits = this
            .verdict
            .message
            .borrow_mut()
            .came(declared, chunk.len());
        this.verdict.stop.set(match found.stop {
            None if !fits => Some(Stop::NoRoom),
            stop => stop,
        });
        if found.pass == 0 {
            Poll::Ready(None)
        } else {
            Poll::Ready(Some(Ok(chunk.slice(..found.pass))))
        }
    }
}

#[cfg(test)]
mod tests;
