//! What happens to an ad-hoc subprocess as a whole. The activities in it are element instances like
//! others.

use serde::{Deserialize, Serialize};

use crate::model::ids::ElementKey;

/// One thing that happened to an ad-hoc subprocess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AdHocRecord {
    /// From now on its activities can be started.
    #[serde(rename = "opened")]
    Opened {
        /// Which.
        element: ElementKey,
    },
    /// Its completion condition is true: nothing in it begins any more.
    #[serde(rename = "fulfilled")]
    Fulfilled {
        /// Which.
        element: ElementKey,
    },
}
