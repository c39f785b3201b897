//! Connections that continue in another protocol once their request is answered with 101: its
//! handler leaves a [`TakeOver`] in the answer, and that gets the connection's bytes when the
//! answer is out.
//!
//! # Why so
//!
//! **A websocket has its connection for itself.** Read and written as the bodies of a request and
//! its answer, as the HTTP library would have it, each message crosses two tasks, two queues and a
//! dozen wrappers of bodies, and an idle connection keeps all of their buffers.

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

/// What begins when the answer it stands in is out.
pub struct TakeOver(Box<dyn FnOnce(SessionStream)>);

impl TakeOver {
    /// Has the connection of this answer's request taken over. Nothing of it happens where the answer
    /// is another than 101, nor on a transport that has no such connections.
    pub fn leave_in(answer: &mut HttpResponse, begin: impl FnOnce(SessionStream) + 'static) {
        answer.extensions_mut().insert(Self(Box::new(begin)));
    }
}

/// Answers a request that offers to continue in another protocol, and lets that begin. Without it
/// the connection ends behind the answer: what came with the request is no other request.
///
/// # Errors
/// When the answer could not be sent.
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
