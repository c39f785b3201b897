//! The edge: HTTP, websockets, REST. There is one route table and one file per resource; every
//! command goes to the runtime in the same envelope as that of a frame.
//!
//! Not here: the meaning of frames (`session`), the pages' templates (`admin`). Where to go next:
//! `routes` for the table, `socket` for the websocket, `server` for start and stop.

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
