//! Embedded subprocess: a scope of its own. It starts at its start event, or without one at the
//! nodes that no flow enters, and completes when nothing in it is active.
//!
//! `compensation` compensates a completed subprocess.

use serde_json::Map;

use super::{ad_hoc, boundary_event, own_work::Own};
use crate::{
    engine::{compensation, context::Step, looping::iteration::whole_of},
    model::{
        executable::ExecutableNode,
        ids::ElementKey,
        node_kind::{ExecutableEventDefinition, SubProcess},
    },
};

pub(super) fn advance<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    subprocess: &SubProcess,
) -> Own<'a> {
    if compensation::is_cancelling(step, key) {
        return leave_cancelled(step, key, node);
    }
    if let Some(ad_hoc) = &subprocess.ad_hoc {
        return ad_hoc::advance(step, key, node, subprocess, ad_hoc);
    }
    let scope = step.state.scope(Some(key));
    let begun = scope.filter(|scope| scope.has_begun());
    match begun.map(|scope| scope.live()) {
        None if subprocess.starts.is_empty() => Own::Done(node.outgoing.iter().collect()),
        None => {
            for start in &subprocess.starts {
                step.activate(start, Some(key), Vec::new());
            }
            Own::Waiting
        }
        Some(0) if !step.stops_at_join(Some(key)) => Own::Done(node.outgoing.iter().collect()),
        Some(_) => Own::Waiting,
    }
}

/// Completes a cancelled transaction by its cancel boundary event, once its compensation has ended.
fn leave_cancelled<'a>(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> Own<'a> {
    if !compensation::is_undoing_cancelled(step, key) {
        let is_cancel = |event: &&ExecutableNode| {
            let is_cancel = |event: &ExecutableEventDefinition| {
                matches!(event, ExecutableEventDefinition::Cancel)
            };
            let mut events = event.kind.awaited().into_iter();
            events.any(|event| event.iter().any(is_cancel))
        };
        let attached = node.boundary_events.iter();
        let event = attached
            .filter_map(|event| step.process.node(event))
            .find(is_cancel);
        if let Some(event) = event {
            // Of an activity that runs more than once, the whole has the boundary events, and is left.
            let whole = whole_of(step, key);
            boundary_event::trigger(step, whole, &event.id, true, Map::new());
        }
    }
    Own::Waiting
}
