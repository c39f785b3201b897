//! Record types of a child instance: its identity, and what started it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::ids::{ElementKey, InstanceKey};

/// A child instance, as recorded by its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildStarted {
    /// The key of the child.
    pub child: InstanceKey,
    /// The id of its process.
    pub process: String,
    /// The element that started it, or from whose message a client started it; `None` when that
    /// element is not retained.
    pub element: Option<ElementKey>,
    /// The action and the triggering that started it; `None` for a call activity or a client.
    pub action: Option<(Arc<str>, u32)>,
    /// Whether the element waits for the end of the child.
    pub awaited: bool,
    /// The highest number among the child's messages that were received.
    pub received: u64,
}
