//! The outermost middleware: reports to a connection where a request begins, when a part of its
//! body is taken, and when its response has been handed over.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, RequestHead, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::{
        Version,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    },
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;

use super::{ConnectionHandle, framing::BodyKind};

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
    let payload = request.take_payload();
    let body = body_kind(&payload, request.head());
    connection.request_begins(body);
    if body != BodyKind::None {
        request.set_payload(Payload::Stream {
            payload: Box::pin(TrackedPayload {
                payload,
                connection: connection.clone(),
            }),
        });
    }
    TrackedRequest(connection)
}

/// How the library frames a request's body.
fn body_kind(payload: &Payload, head: &RequestHead) -> BodyKind {
    if matches!(payload, Payload::None) {
        return BodyKind::None;
    }
    let value = |name| {
        head.headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let is_chunked =
        value(TRANSFER_ENCODING).is_some_and(|value| value.trim().eq_ignore_ascii_case("chunked"));
    if head.version == Version::HTTP_11 && is_chunked {
        return BodyKind::Chunked;
    }
    let length = value(CONTENT_LENGTH).and_then(|value| value.trim().parse().ok());
    BodyKind::Length(length.unwrap_or(0))
}

/// A request that is being answered, until this is dropped.
struct TrackedRequest(ConnectionHandle);

impl Drop for TrackedRequest {
    fn drop(&mut self) {
        self.0.request_ends();
    }
}

/// A request's body, while it is taken.
struct TrackedPayload {
    payload: Payload,
    connection: ConnectionHandle,
}

impl Stream for TrackedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let piece = ready!(Pin::new(&mut this.payload).poll_next(cx));
        this.connection.taken();
        Poll::Ready(piece)
    }
}

/// The body of a response: when it is dropped, the library has all of it.
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
