//! Changes of an ad-hoc subprocess as a whole. The activities in it are element instances like
//! others.

use serde::{Deserialize, Serialize};

use crate::model::ids::ElementKey;

/// One change of an ad-hoc subprocess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AdHocRecord {
    /// From now on its activities can be started.
    #[serde(rename = "opened")]
    Opened {
        /// The element of the subprocess.
        element: ElementKey,
    },
    /// Its completion condition became true: no further activity in it can be started.
    #[serde(rename = "fulfilled")]
    Fulfilled {
        /// The element of the subprocess.
        element: ElementKey,
    },
}
