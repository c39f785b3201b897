//! Who is at the other end of a connection or a request: tokens, tickets, keys of issuers, and the
//! principal that is made of them.
//!
//! Not here: passwords (`runtime::users`), what an instance lets its caller do (`engine::access`).
//! Where to go next: `principal` for what everything else sees, `token` for how it is read.

pub mod authentication;
pub mod issuer_keys;
pub mod principal;
pub mod roles_claim;
pub mod ticket;
pub mod token;
pub mod token_end;
