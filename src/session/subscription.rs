//! The subscriptions of a connection: instances, their children, and lists.
//!
//! Not here: the format of frames (`protocol`), where committed records come from
//! (`runtime::channel`). Where to go next: `subscriptions` for the life of one subscription.

pub mod changes;
pub mod list_contents;
pub mod lists;
pub mod state;
pub mod subscribe_on_start;
pub mod subscriptions;
pub mod tree_cursor;
