//! The edge: HTTP, websockets, REST. One route table, one file per resource; every command goes to
//! the runtime as the same envelope that a frame becomes.
//!
//! Not here: what frames mean (`session`), what pages look like (`admin`). Where to go next:
//! `routes` for the table, `socket` for the socket, `server` for how it all is started and stopped.

mod admission;
pub mod answer_memory;
pub mod body_pace;
pub mod http;
pub mod instance_client;
pub mod jobs;
pub mod local;
pub mod openapi;
pub mod pages;
pub mod proxy;
pub mod rest;
pub mod routes;
pub mod sse;
pub mod startup_definitions;
pub mod transport;
mod trials;
pub mod websocket;
