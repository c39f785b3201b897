//! Realtime sessions, free of any transport: text frames in, text frames out.
//!
//! A [`connection::Connection`] is one client's connection: it reads frames (`protocol`), sends
//! commands to the runtime (`commands`, `to_command`), and follows instances with a cursor each
//! (`state`) and lists of tasks and instances (`lists`). `input_schemas` sends the schemas of
//! actions. A connection that only receives: `read_only_connection`. The transport asks for the
//! next frame when it has room, so frames do not accumulate per client (`outgoing`). Users and
//! tokens: `token`, `authentication`, `ticket`. Rates: `rate_limit`, `shared_rates`.
//!
//! Not here: sockets, HTTP, actix (`web`); what commands mean (`engine`).

pub mod auth;
mod commands;
pub mod connection;
pub mod held_back;
pub mod inbox;
mod input_schemas;
mod introduction;
pub mod origin;
mod outgoing;
pub mod protocol;
pub mod rate_limit;
mod read_only_connection;
pub mod sessions;
pub mod shared_rates;
pub mod subscription;
mod subscription_start;
mod task_notes;
mod test_clock;
mod token_bucket;
