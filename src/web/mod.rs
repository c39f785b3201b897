//! The edge: HTTP, websockets, REST. One route table, one file per resource; every command goes to the runtime as the same
//! envelope that a frame becomes.
//!
//! Not here: what frames mean (`session`), pages for people (`admin`). Where to go next: `routes` for the table, `ws` for the
//! socket, `server` for how it all is started and stopped.

pub mod app;
pub mod connections;
pub mod frame_guard;
pub mod guarded_payload;
pub mod hang_up;
pub mod health;
pub mod problem;
pub mod routes;
pub mod server;
pub mod ws;
