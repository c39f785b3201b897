//! The frames of the websocket protocol `stepwire.v1.json`, read from text and written as text.
//!
//! Not here: what a frame does (`session`), how bytes travel (`web`). Incoming: `client` and
//! `on_instance`, whose fields are read by `fields`. Outgoing: `server`, its entries in `step`,
//! frames that many connections share in `shared`, frames of lists in `lists`. Stable lists: error
//! codes in `code`, close codes in `close`. A channel's name, in both directions: `channel`. For
//! the documents: `catalog`.

pub mod body;
pub mod catalog;
pub mod channel;
pub mod client;
pub mod clock;
pub mod close;
pub mod code;
pub mod conditions;
mod depth;
pub mod examples;
mod fields;
pub mod lists;
pub mod on_instance;
pub mod publish;
mod reading;
pub mod rendering;
mod schema;
pub mod server;
pub mod shapes;
pub mod shared;
pub mod step;
pub mod task_notes;
pub mod to_command;
pub mod wire_error;

pub use fields::{cut, quoted};
