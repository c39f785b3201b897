//! The end of a websocket by the server: the Close, and some time for it to arrive.
//!
//! Not here: why a connection ends (`session_loop`, `session`).

use tokio::time::{Instant, timeout_at};

use super::{
    message_stream::{ClientMessage, StreamEnd},
    session_loop::ClientSocket,
};
use crate::{limits, session::protocol::close::Close};

/// Closes: waits a short time for the client's Close, then drops the connection. `counted` is
/// dropped once the Close was sent, so that a shutdown does not wait for clients that do not
/// answer.
pub(super) async fn send_close<T>(mut socket: Box<ClientSocket>, close: Close, counted: T) {
    let deadline = Instant::now() + limits::CLOSE_REPLY;
    socket.messages.close(close);
    let flushed = timeout_at(deadline, socket.messages.flush()).await;
    drop(counted);
    if matches!(flushed, Ok(Ok(()))) {
        // Whether it answers does not matter.
        let _ = timeout_at(deadline, answer(&mut socket)).await;
    }
    socket.tcp.force_close();
}

/// Waits for the client's Close, or for its end.
async fn answer(socket: &mut ClientSocket) {
    loop {
        match socket.messages.message().await {
            Ok(ClientMessage::Close) | Err(StreamEnd::Disconnected) => return,
            Ok(_) => {}
            // No more messages are read from this client: it has received the Close when it
            // disconnects.
            Err(StreamEnd::Close(_)) => return socket.messages.disconnected().await,
        }
    }
}
