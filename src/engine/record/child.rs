//! Record types about a child instance: its identity, and what started it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::ids::{ElementKey, InstanceKey};

/// A child as its parent knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildStarted {
    /// Its key.
    pub child: InstanceKey,
    /// Its process id.
    pub process: String,
    /// The element that started it, or whose message a client started it from; `None` when nobody
    /// here stands for that.
    pub element: Option<ElementKey>,
    /// The action and its triggering that started it; `None` for a call activity or a client.
    pub action: Option<(Arc<str>, u32)>,
    /// Whether the element waits for its end.
    pub awaited: bool,
    /// Its messages up to this number are taken already.
    pub received: u64,
}
