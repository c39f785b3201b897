//! What every HTTP request passes through: the server, its routes, origins, tokens, bodies and
//! problems.
//!
//! Not here: the resources (`rest`, `jobs`, `pages`). Where to go next: `server`, then
//! `route_table`.

pub mod accepted_tokens;
pub mod access_log;
pub mod app;
pub mod audit;
pub mod auth;
pub mod body;
mod collector;
pub mod connections;
pub mod cors;
pub mod key_address;
pub mod open_connection;
pub mod origin_check;
pub mod parameters;
pub mod password_login;
pub mod problem;
pub mod route_table;
pub mod server;
pub mod strict_input;
