//! The outermost middleware: tells a connection where a request begins, when something of its body
//! is taken, and when its answer has been handed over.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;

use super::ConnectionHandle;

/// Tracks a request on its connection.
///
/// # Errors
/// Those of the request.
pub async fn track(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<TrackedBody>, Error> {
    let connection = request.conn_data::<ConnectionHandle>().cloned();
    let tracked = connection.map(|connection| track_payload(connection, &mut request));
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| TrackedBody {
        body: body.boxed(),
        _request: tracked,
    }))
}

fn track_payload(connection: ConnectionHandle, request: &mut ServiceRequest) -> TrackedRequest {
    connection.request_begins(head_bytes(request));
    let payload = request.take_payload();
    let whole = Rc::new(Cell::new(matches!(payload, Payload::None)));
    if !whole.get() {
        request.set_payload(Payload::Stream {
            payload: Box::pin(TrackedPayload {
                payload,
                connection: connection.clone(),
                whole: whole.clone(),
            }),
        });
    }
    TrackedRequest { connection, whole }
}

/// The bytes of a request's head, as it is usually written.
fn head_bytes(request: &ServiceRequest) -> usize {
    const LINE: usize = " HTTP/1.1\r\n\r\n".len() + 1;
    let target = request.uri().path_and_query();
    let target = target.map_or(1, |target| target.as_str().len());
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    let headers: usize = request.headers().iter().map(header).sum();
    request.method().as_str().len() + target + LINE + headers
}

/// A request that is answered, until this is dropped.
struct TrackedRequest {
    connection: ConnectionHandle,
    whole: Rc<Cell<bool>>,
}

impl Drop for TrackedRequest {
    fn drop(&mut self) {
        self.connection.request_ends(self.whole.get());
    }
}

/// A request's body, as it is taken.
struct TrackedPayload {
    payload: Payload,
    connection: ConnectionHandle,
    whole: Rc<Cell<bool>>,
}

impl Stream for TrackedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Poll::Ready(piece) = Pin::new(&mut this.payload).poll_next(cx) else {
            this.connection.is_starved();
            return Poll::Pending;
        };
        if piece.is_none() {
            this.whole.set(true);
        }
        let bytes = piece.iter().flatten().map(Bytes::len).sum();
        this.connection.taken(bytes);
        Poll::Ready(piece)
    }
}

/// An answer's body: when it is dropped, the library has all of it.
pub struct TrackedBody {
    body: BoxBody,
    _request: Option<TrackedRequest>,
}

impl MessageBody for TrackedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}
