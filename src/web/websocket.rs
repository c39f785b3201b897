//! The websocket: the handshake, the guard of frames, and the loop that serves a socket.
//!
//! Not here: the content of frames (`session::protocol`). Where to go next: `socket`.

pub mod close_handshake;
pub mod frame_guard;
pub mod message_stream;
pub mod no_upgrade;
pub mod session_loop;
pub mod socket;
