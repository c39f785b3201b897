//! Realtime sessions, free of any transport: text frames in, text frames out.
//!
//! A [`connection::Connection`] is one client's connection: it reads frames (`frames`), sends
//! commands to the runtime (`commands`, `requests`), follows instances by a cursor each
//! (`following`), and lists of tasks and instances (`lists`);
//! what actions take is told by `input_schemas`. One that only listens: `listening`.
//! Whatever carries the frames asks it for the next one when there is room, so nothing piles up per
//! client. Who is who: `token`, `identify`, `ticket`. How much: `rate`, `shared_rates`.
//!
//! Not here: sockets, HTTP, actix (`web`); what commands mean (`engine`).

pub mod answers;
mod beginnings;
mod commands;
pub mod connection;
mod following;
pub mod frames;
mod identify;
pub mod inbox;
mod input_schemas;
mod introduction;
pub mod issuer_keys;
mod list_contents;
mod listening;
mod lists;
pub mod origin;
pub mod rate;
pub mod rendering;
pub mod requests;
pub mod roles_claim;
pub mod sessions;
pub mod shared_rates;
mod subscribe_on_start;
mod subscriptions;
mod test_clock;
pub mod ticket;
pub mod token;
mod token_bucket;
pub mod tree_cursor;
pub mod who;
