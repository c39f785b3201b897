//! Identifies the user of a connection or a request: tokens, tickets, keys of issuers, and the
//! principal that results from them.
//!
//! Not here: passwords (`runtime::users`), what an instance lets its caller do (`engine::access`).
//! Where to go next: `principal` for what other modules see, `token` for how a token is read.

pub mod authentication;
pub mod issuer_keys;
pub mod principal;
pub mod roles_claim;
pub mod ticket;
pub mod token;
pub mod token_end;
mod verified_tokens;
