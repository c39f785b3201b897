//! Record types about a message that is pushed to clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{
    action::MessageType,
    ids::{ElementKey, InstanceKey, Time},
};

/// A rendered message for clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Data or Action.
    pub kind: MessageType,
    /// Node it comes from.
    pub node: String,
    /// Action it comes from.
    pub action: String,
    /// The element it comes from, or that started the child it comes from; `None` when a client
    /// started that child.
    pub element: Option<ElementKey>,
    /// The child it comes from, when a child sent it up.
    pub origin: Option<InstanceKey>,
    /// The rendered message.
    pub body: Value,
    /// Until when it waits for an answer of a client; `None` for one that waits for none.
    pub open_until: Option<Time>,
}
