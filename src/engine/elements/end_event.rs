//! End event: the effect of a terminate end event on its scope. What the other end events throw:
//! `engine::throwing`; messages and signals are published before the event is left (`publishing`).
//!
//! # Why so
//!
//! **A terminate end event of the process finishes the instance**, as Camunda does, rather than
//! giving it a status of its own.

use crate::{
    engine::{context::Step, record::Status},
    model::ids::ElementKey,
};

/// Ends everything in the scope; the scope itself then completes. That of the instance finishes it.
pub(in crate::engine) fn terminate(step: &mut Step<'_>, scope: Option<ElementKey>) {
    match scope {
        Some(_) => step.empty(scope),
        None => step.end(Status::Finished),
    }
}
