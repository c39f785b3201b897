//! Connections that continue in another protocol after their request is answered with 101: the
//! handler puts a [`TakeOver`] into the response, which gets the connection's bytes when the
//! response has been sent.
//!
//! # Rationale
//!
//! **A websocket has its connection for itself.** If it were read and written as bodies of a
//! request and a response, as the HTTP library does it, each message would cross two tasks, two
//! queues and a dozen wrappers of bodies, and an idle connection would keep all of their buffers.

use std::{future::poll_fn, pin::pin};

use actix_codec::Framed;
use actix_http::{
    Request, Response,
    body::{BoxBody, MessageBody},
    h1::{Codec, Message},
};
use actix_web::{Error, HttpResponse, dev::Service};
use futures_util::SinkExt;

use super::{session_stream::SessionStream, stream::GuardedStream};

/// Called when the response that contains it has been sent.
pub struct TakeOver(Box<dyn FnOnce(SessionStream)>);

impl TakeOver {
    /// Has the connection of this response's request taken over. Has no effect if the response is
    /// not 101, or the transport does not support it.
    pub fn leave_in(answer: &mut HttpResponse, begin: impl FnOnce(SessionStream) + 'static) {
        answer.extensions_mut().insert(Self(Box::new(begin)));
    }
}

/// Answers a request that offers another protocol, and begins that protocol. If the offer is not
/// accepted, the connection ends after the response, because the bytes after the request are not
/// another request.
///
/// # Errors
/// If the response could not be sent.
pub(super) async fn answer<S, B>(
    application: &S,
    request: Request,
    mut framed: Framed<GuardedStream, Codec>,
) -> Result<(), Error>
where
    S: Service<Request>,
    S::Response: Into<Response<B>>,
    S::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    let mut answer = match application.call(request).await {
        Ok(answer) => answer.into().map_into_boxed_body(),
        Err(error) => error.into(),
    };
    let take_over = answer.extensions_mut().remove::<TakeOver>();
    send(&mut framed, answer).await?;
    match take_over {
        Some(TakeOver(begin)) => {
            let parts = framed.into_parts();
            begin(parts.io.into_session(parts.read_buf.freeze()));
        }
        None => framed.close().await?,
    }
    Ok(())
}

async fn send(
    framed: &mut Framed<GuardedStream, Codec>,
    answer: Response<BoxBody>,
) -> Result<(), Error> {
    let (head, body) = answer.into_parts();
    framed.feed(Message::Item((head, body.size()))).await?;
    let mut body = pin!(body);
    while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        framed.send(Message::Chunk(Some(piece?))).await?;
    }
    Ok(framed.send(Message::Chunk(None)).await?)
}
