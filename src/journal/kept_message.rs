//! The rows of messages that are kept until an element waits for them: tenant, entity and time.
//! Their data are in the log of their entity.

use super::row::Entity;
use crate::model::ids::Time;

/// A message that a row keeps; entity and tenant are those of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Number of its record.
    pub number: u64,
    /// Until when it is kept.
    pub until: Time,
}

/// A kept message as read back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptMessageRow {
    /// Until when it is kept.
    pub until: Time,
    /// The entity of the message with its key.
    pub entity: Entity,
    /// Number of its record within the entity.
    pub number: u64,
    /// Its tenant.
    pub tenant: String,
}
