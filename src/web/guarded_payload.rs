//! Puts the frame guard in front of the websocket library: the library reads a request body that
//! ends where the guard says.
//!
//! When the guard stops, the body *ends* instead of failing: the library then still yields every
//! message that came whole before, and after them the end of the stream. The reader asks the
//! [`GuardVerdict`] at that end, and closes with the code it names; so what was sent before a bad
//! frame is handled, and nothing of it or after it is buffered.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    Error, FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    web::{self, Bytes},
};
use futures_util::Stream;

use super::frame_guard::{FrameGuard, Stop};

/// Why the guard ended the body, if it has.
#[derive(Clone)]
pub struct GuardVerdict {
    stop: Rc<Cell<Option<Stop>>>,
    body: Rc<RefCell<Payload>>,
}

impl GuardVerdict {
    /// The verdict so far. Ask when the message stream has ended: `None` there means that the peer
    /// is gone.
    pub fn stop(&self) -> Option<Stop> {
        self.stop.get()
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
) -> Result<(web::Payload, GuardVerdict), Error> {
    let verdict = GuardVerdict {
        stop: Rc::default(),
        body: Rc::new(RefCell::new(body.into_inner())),
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
        this.verdict.stop.set(found.stop);
        if found.pass == 0 {
            Poll::Ready(None)
        } else {
            Poll::Ready(Some(Ok(chunk.slice(..found.pass))))
        }
    }
}

#[cfg(test)]
#[path = "guarded_payload_tests.rs"]
mod tests;
