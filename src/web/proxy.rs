//! The reports of proxies in front of the server about its clients.
//!
//! Where to go next: `forwarded` for the headers, `client_info` for which of them are trusted.

pub mod client_info;
pub mod forwarded;
