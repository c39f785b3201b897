//! Sessions without sockets: frames are passed to a connection and read from it, on a runtime with
//! the memory store.

mod client;
mod input_schemas;
mod lists;
mod read_only;
mod slow_readers;
mod start;
mod stepping_back;
mod storm;
mod subscriptions;
mod task_notes;
