//! Embedded subprocesses: which one contains a node, and where each begins.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::{
    limits::SUBPROCESS_DEPTH,
    model::{
        definition::{ElementType, FlowNode, ProcessDefinition},
        entry_points::EntryPoints,
    },
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    check_nesting(definition, &nodes, report);
    let filled: HashSet<&str> = definition
        .nodes
        .iter()
        .filter_map(|node| node.scope.as_deref())
        .collect();
    let entry_points = EntryPoints::of(definition);
    let subprocesses = definition.nodes.iter().filter(|node| node.kind.is_scope());
    for subprocess in subprocesses {
        check_start(
            subprocess,
            &entry_points,
            filled.contains(&*subprocess.id),
            report,
        );
    }
    check_crossings(definition, &nodes, report);
}

/// Checks that each node is in a subprocess of the process, not too deep, and not in itself.
fn check_nesting(
    definition: &ProcessDefinition,
    nodes: &HashMap<&str, &FlowNode>,
    report: &mut Report,
) {
    for node in &definition.nodes {
        let Some(scope) = node.scope.as_deref() else {
            continue;
        };
        match nodes.get(scope) {
            Some(around) if around.kind.is_scope() => match levels(node, nodes) {
                Levels::Circle => {
                    let message = format!(
                        "expected a subprocess to lie outside of itself, but `{}` is in `{scope}`, \
                            and `{scope}` is in it; correct one of the two",
                        node.id
                    );
                    report.error(&node.id, "scope_cycle", message);
                }
                Levels::TooMany => {
                    let message = format!(
                        "expected at most {SUBPROCESS_DEPTH} levels of subprocesses, but `{}` is \
                            in more; use fewer levels",
                        node.id
                    );
                    report.error(&node.id, "too_deep", message);
                }
                Levels::Fine => {}
            },
            found => {
                let found = found.map_or_else(
                    || format!("`{scope}` is not one"),
                    |node| format!("`{scope}` is a {}", node.kind.bpmn_name()),
                );
                let message = format!(
                    "expected `scope` to name a subprocess of this process, but {found}; correct it"
                );
                report.error(&node.id, "unknown_scope", message);
            }
        }
    }
}

/// Checks that flows and boundary events stay in their subprocess.
fn check_crossings(
    definition: &ProcessDefinition,
    nodes: &HashMap<&str, &FlowNode>,
    report: &mut Report,
) {
    let scope_of = |id: &str| nodes.get(id).map(|node| node.scope.as_deref());
    for flow in &definition.flows {
        if let (Some(source), Some(target)) = (scope_of(&flow.source), scope_of(&flow.target))
            && source != target
        {
            let message = format!(
                "expected a flow to stay in its subprocess, but `{}` and `{}` are not in the same \
                one; let it end or begin at the subprocess itself",
                flow.source, flow.target
            );
            report.error(&flow.id, "flow_crosses_scope", message);
        }
    }
    for event in &definition.nodes {
        if let Some(activity) = event.attached_to.as_deref()
            && scope_of(activity).is_some_and(|scope| scope != event.scope.as_deref())
        {
            let message = format!(
                "expected a boundary event to be in the subprocess of `{activity}`, but it is in \
                another; move it"
            );
            report.error(&event.id, "boundary_crosses_scope", message);
        }
    }
}

/// Checks that it is clear where a subprocess begins.
fn check_start<'a>(
    subprocess: &'a FlowNode,
    entry_points: &EntryPoints<'a>,
    holds_nodes: bool,
    report: &mut Report,
) {
    // Users start the contents of an ad-hoc subprocess.
    let is_ad_hoc = subprocess.kind == ElementType::AdHocSubProcess;
    let id = subprocess.id.as_str();
    match (
        entry_points.starts(Some(id)),
        entry_points.implicit(Some(id)),
    ) {
        ([_], _) => {}
        ([_, ..], _) | ([], [_, ..]) if is_ad_hoc => {}
        ([_, ..], _) => {
            let starts = entry_points.starts(Some(id)).len();
            let message = format!(
                "expected one start event in the subprocess, but there are {starts}; keep one"
            );
            report.error(id, "subprocess_start", message);
        }
        ([], [first, ..]) => {
            let message = format!(
                "expected a start event in the subprocess, but there is none: it begins at \
                `{}`{}; draw one",
                first.id,
                if entry_points.implicit(Some(id)).len() == 1 {
                    ", which no flow enters"
                } else {
                    " and the other nodes that no flow enters, all at once"
                }
            );
            report.warning(id, "implicit_start", message);
        }
        ([], []) if holds_nodes => {
            let message = "expected a start event in the subprocess, or a node that no flow enters, \
                but there is neither: nothing could begin; draw a start event";
            report.error(id, "subprocess_start", message);
        }
        ([], []) => {
            let message = "expected nodes in the subprocess, but there are none: it completes at \
                once; draw its activities";
            report.warning(id, "empty_subprocess", message);
        }
    }
}

/// The subprocesses around a node.
enum Levels {
    Fine,
    /// It contains itself.
    Circle,
    /// It is in too many, or in a circle of others.
    TooMany,
}

fn levels(node: &FlowNode, nodes: &HashMap<&str, &FlowNode>) -> Levels {
    let mut around = node.scope.as_deref();
    for _ in 0..=SUBPROCESS_DEPTH {
        let Some(id) = around else {
            return Levels::Fine;
        };
        if id == node.id {
            return Levels::Circle;
        }
        around = nodes.get(id).and_then(|node| node.scope.as_deref());
    }
    Levels::TooMany
}
