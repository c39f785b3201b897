//! Stepwire: a websocket-first BPM backend for frontend apps.
//!
//! One binary runs BPMN processes as actors, pushes Data and Action messages to single-page apps
//! over one websocket, and receives the user's manual actions. The layers, in the only direction of
//! imports: `model ← engine ← journal ← runtime ← session ← web, admin ← main`, with `expression`
//! beside `engine`, `explorer` above it, `backup` beside `session`, and `cli`, which knows the web
//! interface only as a client; all layers may use `text` and `limits`.
//!
//! Where to go next: ARCHITECTURE.md for the map, [`engine`] for what a process does, [`runtime`]
//! for how it is kept running.

pub mod admin;
pub mod backup;
pub mod cli;
pub mod config;
pub mod duration;
pub mod engine;
pub mod explorer;
pub mod expression;
pub mod journal;
pub mod limits;
pub mod logging;
pub mod meters;
pub mod model;
pub mod runtime;
pub mod session;
pub mod text;
pub mod thread_priority;
pub mod turns;
pub mod web;
