//! How large one tree of instances may become and how fast it may grow. The constants: `limits`.

use super::{TREE_DELIVERIES, TREE_INSTANCES, TREE_STARTS_AT_ONCE, TREE_STARTS_PER_SECOND};

/// How much one tree of process instances may hold and do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// [`TREE_INSTANCES`].
    pub instances: usize,
    /// [`TREE_STARTS_PER_SECOND`].
    pub starts_per_second: u32,
    /// [`TREE_STARTS_AT_ONCE`].
    pub starts_at_once: u32,
    /// [`TREE_DELIVERIES`].
    pub deliveries: usize,
}

impl Default for TreeLimits {
    fn default() -> Self {
        Self {
            instances: TREE_INSTANCES.get(),
            starts_per_second: TREE_STARTS_PER_SECOND.get() as u32,
            starts_at_once: TREE_STARTS_AT_ONCE.get() as u32,
            deliveries: TREE_DELIVERIES.get(),
        }
    }
}
