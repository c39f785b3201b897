//! The end of a websocket from the server's side: the Close, and a little time for it to arrive.
//!
//! Not here: why a connection ends (`socket`, `session`).

use tokio::time::{Instant, timeout_at};

use super::{
    message_stream::{ClientMessage, Over},
    socket::Socket,
};
use crate::{limits, session::protocol::close::Close};

/// Closes: waits a little for the client's Close, then drops the connection. `counted` is given up
/// once the client has been notified: code that waits for connections to go does not wait for
/// clients that answer nothing.
pub(super) async fn say_goodbye<T>(mut socket: Box<Socket>, close: Close, counted: T) {
    let deadline = Instant::now() + limits::CLOSE_REPLY;
    socket.messages.close(close);
    let told = timeout_at(deadline, socket.messages.flush()).await;
    drop(counted);
    if matches!(told, Ok(Ok(()))) {
        // Whether it answers makes no difference.
        let _ = timeout_at(deadline, answer(&mut socket)).await;
    }
    socket.tcp.force_close();
}

/// Waits for the client's Close, or its end.
async fn answer(socket: &mut Socket) {
    loop {
        match socket.messages.message().await {
            Ok(ClientMessage::Close) | Err(Over::Gone) => return,
            Ok(_) => {}
            // Nothing more is read from this client: it has the Close when it is gone.
            Err(Over::Close(_)) => return socket.messages.gone().await,
        }
    }
}
