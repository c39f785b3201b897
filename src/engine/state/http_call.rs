//! An HTTP call, as the state of the element that waits for it.
//!
//! Changed by `apply` only; all other code reads it. `engine::http_call` places calls and takes
//! their responses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::http_call::HttpRequest;

/// A call without a response yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenCall {
    /// The action that makes it.
    pub action: Arc<str>,
    /// The number of the action's triggering, from 1.
    pub occurrence: u32,
    /// The request, which is sent again when an incident is retried.
    pub request: HttpRequest,
    /// The number of the record that placed it.
    pub placed: u64,
    /// The number of the record that placed or repeated it; `None` after it has failed.
    pub under_way: Option<u64>,
}
