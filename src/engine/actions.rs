//! The action model: when the actions of a node run, and when a run is refused. One file per
//! concern: `run` (a user runs a manual action), `selection` (the element and action of a run),
//! `execution` (the run itself), `upload` (a run with a file), `decision` (a run in an approval),
//! `automatic` (actions that the engine triggers, timers), `retry` and `skip` (after an incident),
//! `work` (the work of each type).
//!
//! `model::validate` has the rules for actions in a definition, `engine::back` the back steps.

pub(super) mod automatic;
pub(super) mod decision;
pub(super) mod execution;
pub(super) mod retry;
pub(super) mod run;
pub(super) mod selection;
pub(super) mod skip;
pub(super) mod upload;
mod work;
