//! The action model: when actions of a node run, and what is refused. One file per concern: `run`
//! (a user runs a manual action), `selection` (which one is meant), `execution` (its run), `upload`
//! (with a file), `decision` (in an approval), `automatic` (what the engine triggers, timers),
//! `retry` and `skip` (after an incident), `work` (what the types do).
//!
//! Not here: the rules a definition's actions must keep (`model::validate`), going back
//! (`engine::back`).

pub(super) mod automatic;
pub(super) mod decision;
pub(super) mod execution;
pub(super) mod retry;
pub(super) mod run;
pub(super) mod selection;
pub(super) mod skip;
pub(super) mod upload;
mod work;
