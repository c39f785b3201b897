//! The progress of an element's own work, once its automatic actions have run.

use crate::model::executable::ExecutableFlow;

/// The outcome of an element's own work.
pub(super) enum Own<'a> {
    /// Not done yet, or stopped by an incident.
    Waiting,
    /// Done; the token leaves by these flows.
    Done(Vec<&'a ExecutableFlow>),
}
