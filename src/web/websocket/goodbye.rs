//! The end of a websocket from the server's side: the Close, and a little time for it to arrive.
//!
//! Not here: why a connection ends (`socket`, `session`).

use actix_web::rt;

use super::{
    message_stream::{Message, Over},
    socket::Socket,
};
use crate::{limits, session::protocol::close::Close};

/// Closes: waits a little for the client's Close, then drops the connection.
pub(super) async fn say_goodbye(mut socket: Socket, close: Close) {
    socket.messages.close(close);
    let goodbye = async {
        if socket.messages.flush().await.is_err() {
            return;
        }
        loop {
            match socket.messages.message().await {
                Ok(Message::Close) | Err(Over::Gone) => return,
                Ok(_) => {}
                // Nothing more is read from this client: it has the Close when it is gone.
                Err(Over::Close(_)) => return socket.messages.gone().await,
            }
        }
    };
    let _ = rt::time::timeout(limits::CLOSE_REPLY, goodbye).await;
    socket.tcp.force_close();
}
