//! The command line client as people and scripts use it: every command against a running server,
//! every exit status, and interrupted connections.
//!
//! Only tests about tokens pass one: otherwise the server on the data directory provides it.

mod cuts;
mod documents;
mod ends;
mod outputs;
mod proxy;
mod scenarios;
mod server;
mod shells;
mod wrong;
