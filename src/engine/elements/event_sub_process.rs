//! Event subprocess: an embedded subprocess that no sequence flow enters. The enclosing scope waits
//! for its start event, and each occurrence starts it. An interrupting one first terminates
//! everything else in the scope, which then completes with it.
//!
//! `engine::subscription` opens its subscription, `engine::throwing` finds the one that catches an
//! error or escalation, `sub_process` runs it.

use serde_json::{Map, Value};

use crate::{
    engine::context::Step,
    model::{executable::ExecutableNode, ids::ElementKey},
};

/// Starts the event subprocess of a start event in the scope around it. It owns what it has caught.
pub(in crate::engine) fn begin(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    start: &ExecutableNode,
    caught: Map<String, Value>,
) {
    let Some((subprocess, event)) = start.scope.as_ref().zip(start.start()) else {
        return;
    };
    if event.interrupting {
        step.interrupt(scope, &start.id);
    }
    step.activate_with(subprocess, scope, Vec::new(), caught);
}
