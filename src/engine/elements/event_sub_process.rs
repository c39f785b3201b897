//! Event subprocess: an embedded subprocess that no token reaches. The scope around it waits for its
//! start event, each time that comes it begins; an interrupting one ends everything else in the
//! scope first, which then is complete with it.
//!
//! What opens its subscription: `engine::subscription`; which one catches what is thrown:
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
