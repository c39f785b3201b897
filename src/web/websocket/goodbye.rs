//! The end of a websocket from the server's side: the Close, and what a broken frame is closed with.
//!
//! Not here: why a connection ends (`socket`, `session`).

use actix_web::rt;
use actix_ws::{AggregatedMessage, CloseReason, ProtocolError};
use futures_util::StreamExt;

use super::socket::Socket;
use crate::{
    limits,
    session::protocol::close::{Close, CloseCode},
};

/// What a broken message is closed with.
pub(super) fn code_of(error: &ProtocolError) -> CloseCode {
    match error {
        ProtocolError::Overflow => CloseCode::TooBig,
        ProtocolError::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => CloseCode::Utf8,
        _ => CloseCode::Protocol,
    }
}

/// Closes: waits a little for the peer's Close, then drops the connection.
pub(super) async fn say_goodbye(mut socket: Socket, close: Close) {
    let reason = CloseReason {
        code: close.code.number().into(),
        description: Some(close.reason.into_owned()),
    };
    let goodbye = async {
        if socket.session.close(Some(reason)).await.is_err() {
            return;
        }
        if socket.verdict.stop().is_some() {
            // Nothing more is read from this peer: it has the Close when it is gone.
            socket.verdict.peer_gone().await;
        } else {
            while let Some(Ok(message)) = socket.messages.next().await {
                if matches!(message, AggregatedMessage::Close(_)) {
                    break;
                }
            }
        }
    };
    let _ = rt::time::timeout(limits::CLOSE_REPLY, goodbye).await;
    if let Some(tcp) = socket.tcp {
        tcp.force_close();
    }
}
