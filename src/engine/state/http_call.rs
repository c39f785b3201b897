//! A call to another system, as the element that waits for it remembers it.
//!
//! Changed by `apply` only; all other code reads it. What it leads to: `engine::http_call`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::http_call::HttpRequest;

/// A call that was placed and has brought no result yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenCall {
    /// The action it is made for.
    pub action: Arc<str>,
    /// Which triggering of it, from 1.
    pub occurrence: u32,
    /// What is sent, and sent again after an incident.
    pub request: HttpRequest,
    /// The record that placed it.
    pub placed: u64,
    /// The record that placed or repeated it; `None` once it has failed.
    pub under_way: Option<u64>,
}
