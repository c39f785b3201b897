//! End event: the effect of a terminate end event on its scope. `engine::throwing` throws the
//! events of the other end events; messages and signals are published before (`publishing`).
//!
//! # Rationale
//!
//! **A terminate end event of the process finishes the instance**, as Camunda does, rather than
//! giving it a status of its own.

use crate::{
    engine::{context::Step, record::Status},
    model::ids::ElementKey,
};

/// Terminates everything in the scope, which then completes. At the root this finishes the
/// instance.
pub(in crate::engine) fn terminate(step: &mut Step<'_>, scope: Option<ElementKey>) {
    match scope {
        Some(_) => step.empty(scope),
        None => step.end(Status::Finished),
    }
}
