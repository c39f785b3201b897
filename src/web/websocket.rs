//! The websocket: the handshake, the frames' guard, and the loop that serves a socket.
//!
//! Not here: what the frames say (`session::protocol`). Where to go next: `socket`.

pub mod frame_guard;
pub mod goodbye;
pub mod message_stream;
pub mod no_upgrade;
pub mod socket;
