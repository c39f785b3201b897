//! Changes of an activity that runs more than once, as a whole. Its iterations are element
//! instances in the scope of the whole.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ids::ElementKey;

/// One change of an activity that runs more than once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LoopRecord {
    /// The loop began. The number of iterations of a multi-instance activity was evaluated; later
    /// changes of the data do not change it.
    #[serde(rename = "begun")]
    Begun {
        /// The element of the activity.
        element: ElementKey,
        /// The number of iterations; `None` for a standard loop.
        instances: Option<u32>,
        /// Whether each iteration begins after the previous one has ended. Otherwise all run in
        /// parallel.
        sequential: bool,
        /// The items of the collection; `None` for a number of iterations.
        items: Option<Items>,
    },
    /// An iteration gave a result.
    #[serde(rename = "result")]
    Result {
        /// The element of the activity.
        element: ElementKey,
        /// The number of the iteration, from 1.
        iteration: u32,
        /// Its entry in the list of results.
        result: Value,
    },
    /// No further iteration begins: the completion condition is true, or a condition that could not
    /// be evaluated was skipped.
    #[serde(rename = "stopped")]
    Stopped {
        /// The element of the activity.
        element: ElementKey,
    },
}

/// The items of a collection, with the name of their variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Items {
    /// The variable that holds the item of an iteration.
    pub variable: Arc<str>,
    /// The items, in the order of the collection.
    pub values: VecDeque<Value>,
}
