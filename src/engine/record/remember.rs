//! Record types of the state that is kept for back steps.

use serde::{Deserialize, Serialize};

/// The state that the first run of an action keeps for later back steps to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remember {
    /// Nothing.
    #[serde(rename = "n")]
    Nothing,
    /// The action states of its element.
    #[serde(rename = "a")]
    Actions,
    /// The action states and the view. Every later merge is kept as well, so that the data can be
    /// restored.
    #[serde(rename = "s")]
    Snapshot,
}
