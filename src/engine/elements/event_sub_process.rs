//! Event subprocess: an embedded subprocess that no token reaches. The enclosing scope waits for
//! its start event, and each occurrence begins it; an interrupting one first ends everything else
//! in the scope, which then completes with it.
//!
//! What opens its subscription: `engine::subscription`; which one catches an error or escalation:
//! `engine::throwing`. How it runs: `sub_process`.

use crate::{
    engine::context::Step,
    model::{executable::ExecutableNode, ids::ElementKey},
};

/// The event subprocess of a start event begins in the scope around it.
pub(in crate::engine) fn begin(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    start: &ExecutableNode,
) {
    let Some((subprocess, event)) = start.scope.as_ref().zip(start.start()) else {
        return;
    };
    if event.interrupting {
        step.interrupt(scope, &start.id);
    }
    step.activate(subprocess, scope, Vec::new());
}
