//! The edge: HTTP, websockets, REST. One route table, one file per resource; every command goes to
//! the runtime as the same envelope that a frame becomes.
//!
//! Not here: what frames mean (`session`), what pages look like (`admin`). Where to go next:
//! `routes` for the table, `ws` for the socket, `server` for how it all is started and stopped.

pub mod accepted_tokens;
pub mod access_log;
mod admission;
pub mod answer_memory;
pub mod api_page;
pub mod app;
pub mod approach;
pub mod asking;
pub mod assets;
pub mod asyncapi;
pub mod audit;
pub mod auth;
pub mod body;
pub mod body_pace;
pub mod connections;
pub mod cors;
pub mod event_stream;
pub mod file_name;
pub mod forwarded;
pub mod frame_guard;
pub mod guarded_payload;
pub mod health;
pub mod jobs;
pub mod key_address;
pub mod listening;
pub mod listing;
pub mod local;
pub mod metrics;
pub mod no_upgrade;
pub mod openapi;
pub mod origin_check;
pub mod pages;
pub mod problem;
pub mod problem_pages;
pub mod published;
pub mod rest;
pub mod route_table;
pub mod routes;
pub mod server;
pub mod shared_room;
pub mod signing_in;
pub mod startup_definitions;
pub mod transport;
pub mod upload_form;
pub mod ws;
