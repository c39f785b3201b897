//! The child of a call activity.
//!
//! Changed by `apply` only; all other code reads it. `engine::elements` starts the child and
//! continues after it.

use serde::{Deserialize, Serialize};

use crate::model::ids::InstanceKey;

/// The state of a call activity's child. A call whose child failed has none until it is retried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Waits for the end of this child.
    Awaiting(InstanceKey),
    /// The child finished, or the wait for it was skipped.
    Done,
}
