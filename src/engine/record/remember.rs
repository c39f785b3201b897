//! Record types about what is kept for back steps.

use serde::{Deserialize, Serialize};

/// What the first run of an action leaves for a later back step to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remember {
    /// Nothing.
    #[serde(rename = "n")]
    Nothing,
    /// The action states of its element.
    #[serde(rename = "a")]
    Actions,
    /// The action states and the view; from here on every merge is kept, so that the data can be
    /// restored.
    #[serde(rename = "s")]
    Snapshot,
}
