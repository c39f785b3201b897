//! Server-sent events: the same frames as over the websocket, read only.
//!
//! Where to go next: `rest::stream` for the route, `sse_connection` for the source of its events.

pub mod sse_connection;
pub mod sse_response;
