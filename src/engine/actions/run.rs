//! A user's run of a manual action: of an active element, or of a completed one by a back step.
//!
//! `selection` finds the element and checks whether the action may run now. The checks are made in
//! the order that the protocol documents; the first check that fails decides the refusal, and
//! nothing was recorded before it.

use super::{execution, selection, upload};
use crate::engine::{
    back, command::RunAction, context::Step, rejection::Rejection, state::ElementInstance,
};

/// Runs a manual action, on an active element or, for `allowBack`, on a completed one.
pub(in crate::engine) fn run(step: &mut Step<'_>, run: RunAction) -> Result<(), Rejection> {
    let (key, action) = selection::target(step, &run)?;
    step.file = upload::require(step, action, run.file)?;
    if step
        .state
        .element(key)
        .is_some_and(ElementInstance::is_active)
    {
        execution::run_in(step, key, action, &run.data)
    } else {
        back::go_back(step, key, action, &run.data)
    }
}
