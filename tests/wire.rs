//! The websocket protocol as a client sees it: scripted clients against the real program.
//!
//! One test for each sentence of the protocol. Nothing here sleeps: tests wait for frames, with a
//! deadline. `server` starts the program, `client` uses the protocol, `raw` violates the websocket
//! rules on purpose.

mod bad_frames;
mod bad_input;
mod bad_sockets;
pub mod client;
mod clocks;
pub mod closing;
mod commands;
mod duplicates;
mod endless_scripts;
mod hello;
mod http_calls;
mod inheriting;
pub mod onboarding;
mod order;
mod raw;
mod replays;
mod rules_and_files;
pub mod server;
pub mod subprocesses;
mod tokens;
mod trees;

pub use client::Client;
pub use server::{SECRET, Server, token_with, tokens_of};
