//! A user runs a manual action: on an active element, or by a step back on a passed one.
//!
//! Which element is meant and whether it may run now: `selection`. The checks are in the order the
//! protocol promises; the first that fails answers, and nothing has been recorded then.

use super::{execution, selection, upload};
use crate::engine::{
    back, command::RunAction, context::Step, rejection::Rejection, state::ElementInstance,
};

/// Runs a manual action, on an active element or, for `allowBack`, on a passed one.
pub(in crate::engine) fn run(step: &mut Step<'_>, run: RunAction) -> Result<(), Rejection> {
    let (key, action) = selection::meant(step, &run)?;
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
