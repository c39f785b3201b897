//! Realtime sessions, free of any transport: text frames in, text frames out.
//!
//! A [`connection::Connection`] is one client's connection: it reads frames (`protocol`), sends
//! commands to the runtime (`commands`, `to_command`), follows instances by a cursor each
//! (`state`), and lists of tasks and instances (`lists`);
//! what actions take is reported by `input_schemas`. One that only listens: `read_only_connection`.
//! Whatever carries the frames asks it for the next one when there is room, so nothing piles up per
//! client. Who is who: `token`, `authentication`, `ticket`. How much: `rate_limit`, `shared_rates`.
//!
//! Not here: sockets, HTTP, actix (`web`); what commands mean (`engine`).

pub mod auth;
mod beginnings;
mod commands;
pub mod connection;
pub mod held_back;
pub mod inbox;
mod input_schemas;
mod introduction;
pub mod origin;
pub mod protocol;
pub mod rate_limit;
mod read_only_connection;
pub mod sessions;
pub mod shared_rates;
pub mod subscription;
mod task_notes;
mod test_clock;
mod token_bucket;
