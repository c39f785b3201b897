//! The limits of one process instance and of one command to it, in the form the engine takes them.
//!
//! Not here: their values (`limits`), trees of instances (`tree_limits`).

use super::*;

/// How much one process instance may hold and one command may do: an argument of the engine, so
/// that tests reach the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceLimits {
    /// [`ELEMENTS_PER_COMMAND`].
    pub elements_per_command: usize,
    /// [`ACTIVE_ELEMENTS`].
    pub active_elements: usize,
    /// [`COMPENSATIONS`].
    pub compensations: usize,
    /// [`CHILDREN`].
    pub children: usize,
    /// [`PARTICIPANTS`].
    pub participants: usize,
    /// [`OPEN_MESSAGES`].
    pub open_messages: usize,
    /// [`DELAYED`].
    pub delayed: usize,
    /// [`CALLS_PER_INSTANCE`].
    pub calls: usize,
    /// [`TREE_LEVELS`].
    pub levels: usize,
    /// [`STEP_STARTS`].
    pub starts_per_step: usize,
    /// [`STEP_START_BYTES`].
    pub start_bytes_per_step: usize,
    /// [`VARIABLE_BYTES`].
    pub variable_bytes: usize,
    /// [`LOOP_TURNS`].
    pub turns: u32,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            elements_per_command: ELEMENTS_PER_COMMAND,
            active_elements: ACTIVE_ELEMENTS,
            compensations: COMPENSATIONS,
            children: CHILDREN,
            participants: PARTICIPANTS,
            open_messages: OPEN_MESSAGES,
            delayed: DELAYED,
            calls: CALLS_PER_INSTANCE,
            levels: TREE_LEVELS,
            starts_per_step: STEP_STARTS,
            start_bytes_per_step: STEP_START_BYTES,
            variable_bytes: VARIABLE_BYTES,
            turns: LOOP_TURNS,
        }
    }
}
