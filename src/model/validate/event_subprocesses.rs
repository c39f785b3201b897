//! Event subprocesses: no flow leads to them, their start event begins them, and each error and
//! escalation is caught by one.
//!
//! Not here: that a subprocess has one start event (`scopes`), which event it may have (`events`).

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Report;
use crate::model::{
    compile::events::compile_catches,
    definition::{ElementType, FlowNode, ProcessDefinition},
};

/// The ids of a definition's event subprocesses.
pub(super) struct EventSubprocesses<'a>(BTreeSet<&'a str>);

impl<'a> EventSubprocesses<'a> {
    pub(super) fn of(definition: &'a ProcessDefinition) -> Self {
        let ids = definition
            .nodes
            .iter()
            .filter(|node| node.kind == ElementType::SubProcess && node.triggered_by_event)
            .map(|node| node.id.as_str());
        Self(ids.collect())
    }

    /// Whether a node is the start event of one of them.
    pub(super) fn is_begun_by(&self, node: &FlowNode) -> bool {
        node.kind == ElementType::StartEvent
            && node
                .scope
                .as_deref()
                .is_some_and(|scope| self.0.contains(scope))
    }
}

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let event_subprocesses = EventSubprocesses::of(definition);
    for flow in &definition.flows {
        for (what, id) in [("leave", &flow.source), ("enter", &flow.target)] {
            if event_subprocesses.0.contains(id.as_str()) {
                let message = format!(
                    "expected no flow to {what} an event subprocess, as its start event begins it, \
                    but this one does (`{id}`); remove it"
                );
                report.error(&flow.id, "flow_at_event_subprocess", message);
            }
        }
    }
    let begun: HashSet<&str> = definition
        .nodes
        .iter()
        .filter(|node| event_subprocesses.is_begun_by(node))
        .filter_map(|start| start.scope.as_deref())
        .collect();
    for id in &event_subprocesses.0 {
        if !begun.contains(id) {
            let message = "expected a start event in the event subprocess, which says what begins \
                it, but there is none; draw one";
            report.error(id, "event_subprocess_start", message);
        }
    }
    check_errors(definition, &event_subprocesses, report);
}

/// Of the event subprocesses of a scope, one may catch each error or escalation, and one all
/// others.
fn check_errors(
    definition: &ProcessDefinition,
    event_subprocesses: &EventSubprocesses<'_>,
    report: &mut Report,
) {
    let around: HashMap<&str, Option<&str>> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.scope.as_deref()))
        .collect();
    let mut taken: HashMap<(Option<&str>, String), &str> = HashMap::new();
    let starts = definition
        .nodes
        .iter()
        .filter(|node| event_subprocesses.is_begun_by(node));
    for start in starts {
        let scope = start.scope.as_deref().and_then(|id| *around.get(id)?);
        for catch in compile_catches(start) {
            let kind = if catch.escalation {
                "escalation"
            } else {
                "error"
            };
            let what = catch.code.map_or_else(
                || format!("every {kind}"),
                |code| format!("{kind} `{code}`"),
            );
            if let Some(other) = taken.insert((scope, what.clone()), &start.id)
                && *other != start.id
            {
                let message = format!(
                    "expected one event subprocess of a scope to catch {what}, but `{other}` and this \
                one do; remove one"
                );
                report.error(&start.id, "ambiguous_event_subprocess", message);
            }
        }
    }
}
