//! Messages that are kept for those who do not wait for them yet, as they are counted: whose they
//! are, and until when. What they bring is in the log of their entity.

use super::row::Entity;
use crate::model::ids::Time;

/// A message that a row keeps; its entity and its tenant are the row's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Number of the record that published it.
    pub number: u64,
    /// Until when it is kept.
    pub until: Time,
}

/// A kept message as read back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptMessageRow {
    /// Until when it is kept.
    pub until: Time,
    /// Which message, with its key.
    pub entity: Entity,
    /// Number of the record that published it, within the entity.
    pub number: u64,
    /// Whose it is.
    pub tenant: String,
}
