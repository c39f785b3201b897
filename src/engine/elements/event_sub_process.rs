//! Event subprocess: an embedded subprocess that no sequence flow enters. The enclosing scope waits
//! for its start event, and each occurrence starts it. An interrupting one first terminates
//! everything else in the scope, which then completes with it.
//!
//! `engine::subscription` opens its subscription, `engine::throwing` finds the one that catches an
//! error or escalation, `sub_process` runs it.

use crate::{
    engine::context::Step,
    model::{executable::ExecutableNode, ids::ElementKey},
};

/// Starts the event subprocess of a start event in the scope around it.
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
