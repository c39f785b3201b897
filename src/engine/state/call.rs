//! The child that a call activity has started.
//!
//! Changed by `apply` only; all other code reads it. What it leads to: `engine::elements`.

use serde::{Deserialize, Serialize};

use crate::model::ids::InstanceKey;

/// The state of the child of a call activity. A call whose child failed has none, until it is
/// retried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Waiting for this child.
    Awaiting(InstanceKey),
    /// It ended well, or was given up.
    Done,
}
