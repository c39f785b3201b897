//! Record types of a message that is pushed to clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{
    action::MessageType,
    ids::{ElementKey, InstanceKey, Time},
};

/// A rendered message to clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// The type of the message: Data or Action.
    pub kind: MessageType,
    /// The node of the action that sent it.
    pub node: String,
    /// The action that sent it.
    pub action: String,
    /// The element of that action, or the element that started the child from which the message
    /// came; `None` when a client started that child.
    pub element: Option<ElementKey>,
    /// The child that sent it, when it was passed on by a child.
    pub origin: Option<InstanceKey>,
    /// The rendered message.
    pub body: Value,
    /// Until when it accepts a response of a client; `None` for a message without response.
    pub open_until: Option<Time>,
}
