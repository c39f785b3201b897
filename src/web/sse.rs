//! Server-sent events: the same frames as over the websocket, read only.
//!
//! Where to go next: `rest::stream` for the route, `sse_connection` for what feeds it.

pub mod sse_connection;
pub mod sse_response;
