//! The action model: when actions of a node run, and what is refused. One file per concern: `run`
//! (a user runs a manual action), `upload` (with a file), `decision` (in an approval), `automatic`
//! (what the engine triggers, timers, retry), `skip` (going on without what failed), `work` (what
//! the types do).
//!
//! Not here: the rules a definition's actions must keep (`model::validate`), going back
//! (`engine::back`).

mod automatic;
mod decision;
mod run;
mod skip;
mod upload;
mod work;

pub(super) use automatic::{fire_timer, hold, retry, run_automatic};
pub(super) use decision::accept;
pub(super) use run::{can_run, require_execute, run, run_in};
pub(super) use skip::skip;
pub(super) use upload::may_upload;
