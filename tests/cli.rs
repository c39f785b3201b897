//! The command line client as people and scripts call it: every command against a running server,
//! every exit status, and cuts.
//!
//! No test shows a token unless it is about tokens: the server on the data directory gives one.

mod cuts;
mod documents;
mod ends;
mod outputs;
mod proxy;
mod scenarios;
mod server;
mod shells;
mod wrong;
