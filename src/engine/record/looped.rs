//! What happens to an activity that runs more than once, as a whole. Its iterations are element
//! instances like others, in the scope of the whole.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ids::ElementKey;

/// One thing that happened to an activity that runs more than once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LoopRecord {
    /// It begins. A multi-instance activity looked at what there is an iteration for: it runs so
    /// often, whatever happens to that meanwhile.
    #[serde(rename = "begun")]
    Begun {
        /// The activity.
        element: ElementKey,
        /// How many iterations there are; `None` for a standard loop.
        instances: Option<u32>,
        /// Whether one begins when the one before it has ended, instead of all at the same time.
        sequential: bool,
        /// The items of a collection, and the variable that holds one; `None` for a number of times.
        items: Option<Items>,
    },
    /// An iteration gave a result.
    #[serde(rename = "result")]
    Result {
        /// The activity.
        element: ElementKey,
        /// Which iteration, from 1.
        iteration: u32,
        /// What it adds to the list of results.
        result: Value,
    },
    /// No further iteration begins: the completion condition is true, or what could not be
    /// evaluated was left out.
    #[serde(rename = "stopped")]
    Stopped {
        /// The activity.
        element: ElementKey,
    },
}

/// The items of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Items {
    /// The variable that holds the item of an iteration.
    pub variable: Arc<str>,
    /// In the order of the collection.
    pub values: VecDeque<Value>,
}
