//! The HTTP response of server-sent events: its head, and comments that keep it alive while nothing
//! happens.
//!
//! An event is written as one chunk, because some clients parse chunks instead of lines. Not here:
//! the content of events.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{ConnectionType, Version, header::CACHE_CONTROL},
    rt::time::{Instant, interval_at},
    web::Bytes,
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::MissedTickBehavior;

/// A comment, which shows that the server is there.
const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// A response that ends when `events` end, with a comment after each interval without an event. Its
/// head is sent at once.
pub fn answer(
    request: &HttpRequest,
    events: impl Stream<Item = Bytes> + 'static,
    keep_alive: Duration,
) -> HttpResponse {
    let mut response = HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-cache"))
        // Asks proxies not to buffer events.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(with_comments(events, keep_alive).map(Ok::<_, Infallible>));
    if request.version() < Version::HTTP_11 {
        // HTTP/1.0 has no chunks: the response ends with the connection.
        response.head_mut().no_chunking(true);
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    response
}

/// The events, with a comment whenever this time has passed since the last one.
fn with_comments(events: impl Stream<Item = Bytes>, every: Duration) -> impl Stream<Item = Bytes> {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    stream::unfold(
        (Box::pin(events), ticks),
        |(mut events, mut ticks)| async move {
            let piece = tokio::select! {
                biased;
                event = events.next() => event?,
                _ = ticks.tick() => KEEP_ALIVE,
            };
            Some((piece, (events, ticks)))
        },
    )
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[actix_web::test]
    async fn comments_are_sent_until_the_event() {
        let (sender, mut receiver) = unbounded_channel();
        let events = stream::poll_fn(move |cx| receiver.poll_recv(cx));
        let mut pieces = Box::pin(with_comments(events, Duration::from_millis(1)));
        for _ in 0..3 {
            assert_eq!(pieces.next().await, Some(KEEP_ALIVE));
        }
        sender.send(Bytes::from_static(b"data: 1\n\n")).unwrap();
        assert_eq!(pieces.next().await.unwrap(), "data: 1\n\n");
        drop(sender);
        assert_eq!(pieces.next().await, None);
    }

    #[actix_web::test]
    async fn a_ready_event_is_sent_before_comments() {
        let event = Bytes::from_static(b"data: 1\n\n");
        let mut pieces = Box::pin(with_comments(
            stream::iter([event.clone()]),
            Duration::from_nanos(1),
        ));
        assert_eq!(
            (pieces.next().await, pieces.next().await),
            (Some(event), None)
        );
    }
}
