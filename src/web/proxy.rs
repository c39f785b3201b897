//! What proxies in front of the server say of its clients.
//!
//! Where to go next: `forwarded` for the headers, `client_info` for what is believed of them.

pub mod client_info;
pub mod forwarded;
