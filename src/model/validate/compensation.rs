//! Compensation and transactions: which handler compensates which activity, what may be compensated
//! from where, and what can be cancelled.
//!
//! Event subprocesses that compensation begins: `event_subprocess`. Not here: which definitions an
//! event may have (`events`).

mod event_subprocess;

use std::collections::{HashMap, HashSet};

use super::{Report, back_steps};
use crate::model::{
    definition::{ElementType, FlowNode, ProcessDefinition},
    event_definition::EventDefinition,
};

type Nodes<'a> = HashMap<&'a str, &'a FlowNode>;

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let nodes: Nodes<'_> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut compensated: HashMap<&str, &str> = HashMap::new();
    let mut cancelled: HashMap<&str, &str> = HashMap::new();
    for node in &definition.nodes {
        check_handler_of(node, &nodes, report);
        if node.for_compensation && !node.kind.is_activity() {
            let message = format!(
                "expected `isForCompensation` on activities only, but this is a {}; remove it",
                node.kind.bpmn_name()
            );
            report.error(&node.id, "misplaced_compensation", message);
        }
        let (seen, what) = if node.is_compensation() {
            (&mut compensated, "compensation")
        } else if is_cancel(node) {
            (&mut cancelled, "cancel")
        } else {
            continue;
        };
        let is_boundary = is_boundary(node);
        if let Some(attached) = node.attached_to.as_deref().filter(|_| is_boundary)
            && let Some(other) = seen.insert(attached, &node.id)
        {
            let message = format!(
                "expected one {what} boundary event of `{attached}`, but `{other}` and this one \
                are; remove one"
            );
            report.error(&node.id, "ambiguous_boundary", message);
        }
    }
    let undoing = event_subprocess::check(definition, &nodes, &compensated, report);
    check_flows(definition, &nodes, report);
    for node in &definition.nodes {
        for event in &node.events {
            if let EventDefinition::Compensation { activity, .. } = event
                && let Some(activity) = activity.as_deref()
            {
                check_named(node, activity, (&nodes, &compensated, &undoing), report);
            }
        }
        if is_cancel(node) && is_boundary(node) {
            check_cancel_boundary(node, &nodes, report);
        } else if is_cancel(node) {
            check_cancel(node, (&nodes, &undoing), &cancelled, report);
        }
    }
    check_back_steps(definition, &undoing, report);
}

fn is_cancel(node: &FlowNode) -> bool {
    let mut events = node.events.iter();
    events.any(|event| matches!(event, EventDefinition::Cancel))
}

fn is_boundary(node: &FlowNode) -> bool {
    node.kind == ElementType::BoundaryEvent
}

/// The nodes around a node, from the inside out; in a circle at most as many as there are.
fn around<'a>(node: &'a FlowNode, nodes: &'a Nodes<'a>) -> impl Iterator<Item = &'a FlowNode> {
    let outer = |node: &&'a FlowNode| nodes.get(node.scope.as_deref()?).copied();
    std::iter::successors(outer(&node), outer).take(nodes.len())
}

/// A compensation boundary event has a handler in the scope of its activity; other nodes have none.
fn check_handler_of(node: &FlowNode, nodes: &Nodes<'_>, report: &mut Report) {
    let compensates = is_boundary(node) && node.is_compensation();
    let handler = match (compensates, node.compensation_handler.as_deref()) {
        (false, None) => return,
        (false, Some(_)) => {
            let message = "expected a compensation handler of compensation boundary events only, \
                but this is not one; remove it";
            return report.error(&node.id, "misplaced_compensation", message);
        }
        (true, None) => {
            let message = "expected an association with the activity that compensates, but there \
                is none; connect one that has isForCompensation (in JSON name it as \
                `compensationHandler`)";
            return report.error(&node.id, "missing_compensation_handler", message);
        }
        (true, Some(handler)) => handler,
    };
    let found = match nodes.get(handler) {
        None => "it is no node of the process".to_owned(),
        Some(found) if !found.kind.is_activity() => format!("it is a {}", found.kind.bpmn_name()),
        Some(found) if !found.for_compensation => {
            "its isForCompensation is not true, so tokens may reach it".to_owned()
        }
        Some(found) if found.scope != node.scope => "it is in another subprocess".to_owned(),
        Some(_) => String::new(),
    };
    if !found.is_empty() {
        let message = format!(
            "expected `{handler}`, which compensates, to be an activity with isForCompensation \
            beside the boundary event, but {found}; correct it"
        );
        report.error(&node.id, "no_compensation_handler", message);
    }
    let attached = node.attached_to.as_deref().and_then(|id| nodes.get(id));
    if attached.is_some_and(|activity| activity.for_compensation) {
        let message = "expected a compensation boundary event at an activity of the normal flow, \
            but this is at a compensation handler, which is not compensated; remove it";
        report.error(&node.id, "misplaced_compensation", message);
    }
}

/// No token reaches or leaves a handler, and none leaves the boundary event of the handler.
fn check_flows(definition: &ProcessDefinition, nodes: &Nodes<'_>, report: &mut Report) {
    let leads = |id: &str| {
        nodes
            .get(id)
            .is_some_and(|node| is_boundary(node) && node.is_compensation())
    };
    let undoes = |id: &str| nodes.get(id).is_some_and(|node| node.for_compensation);
    for flow in &definition.flows {
        let found = if leads(&flow.source) || undoes(&flow.source) {
            Some(("leaves", &flow.source))
        } else if undoes(&flow.target) {
            Some(("enters", &flow.target))
        } else {
            None
        };
        if let Some((how, node)) = found {
            let message = format!(
                "expected no sequence flow at a compensation boundary event or its handler, but \
                this one {how} `{node}`; connect the two by an association, and nothing else"
            );
            report.error(&flow.id, "flow_at_compensation", message);
        }
    }
}

/// A compensation event may name an activity in its scope, or in the scope of its event subprocess,
/// that can be compensated.
fn check_named<'a>(
    node: &'a FlowNode,
    activity: &str,
    (nodes, compensated, undoing): (&'a Nodes<'a>, &HashMap<&str, &str>, &HashSet<&str>),
    report: &mut Report,
) {
    let scopes = compensated_scopes(node, nodes, undoing);
    let is_beside = |found: &FlowNode| scopes.contains(&found.scope.as_deref());
    let found = match nodes.get(activity) {
        _ if is_boundary(node) => {
            "a boundary event compensates what it is attached to; remove activityRef".to_owned()
        }
        _ if node.kind == ElementType::StartEvent => {
            "its event subprocess compensates the subprocess around it; remove activityRef"
                .to_owned()
        }
        None => "it is no node of the process; correct it".to_owned(),
        Some(found) if !found.kind.is_activity() => {
            format!("it is a {}; name an activity", found.kind.bpmn_name())
        }
        Some(found) if !is_beside(found) => {
            "it is in another subprocess; name an activity beside the event".to_owned()
        }
        Some(found) if !found.kind.is_scope() && !compensated.contains_key(activity) => {
            "nothing compensates it; attach a compensation boundary event".to_owned()
        }
        Some(_) => return,
    };
    let message = format!(
        "expected `{activity}` to be an activity beside the event that can be compensated, but {found}"
    );
    report.error(&node.id, "nothing_to_compensate", message);
}

/// The scopes that a compensation event compensates: its own, and those around event subprocesses.
fn compensated_scopes<'a>(
    node: &'a FlowNode,
    nodes: &'a Nodes<'a>,
    undoing: &HashSet<&str>,
) -> Vec<Option<&'a str>> {
    let mut scopes = vec![node.scope.as_deref()];
    for subprocess in around(node, nodes).take_while(|around| around.triggered_by_event) {
        scopes.push(subprocess.scope.as_deref());
        // The compensation of a completed subprocess only concerns that subprocess.
        if undoing.contains(subprocess.id.as_str()) {
            break;
        }
    }
    scopes
}

fn check_cancel_boundary(node: &FlowNode, nodes: &Nodes<'_>, report: &mut Report) {
    let attached = node.attached_to.as_deref().and_then(|id| nodes.get(id));
    if let Some(activity) = attached.filter(|node| node.kind != ElementType::Transaction) {
        let message = format!(
            "expected a cancel boundary event at a transaction, but `{}` is a {}; attach it to \
            one",
            activity.id,
            activity.kind.bpmn_name()
        );
        report.error(&node.id, "no_transaction", message);
    }
    if !node.interrupting {
        let message = "expected a cancel boundary event to interrupt its transaction, but it does \
            not (cancelActivity is false); remove that";
        report.error(&node.id, "unsupported_attribute", message);
    }
}

/// A cancel end event cancels the innermost transaction around it, which needs a cancel boundary
/// event.
fn check_cancel(
    node: &FlowNode,
    (nodes, undoing): (&Nodes<'_>, &HashSet<&str>),
    cancelled: &HashMap<&str, &str>,
    report: &mut Report,
) {
    let undoes = |outer: &FlowNode| outer.for_compensation || undoing.contains(&*outer.id);
    let outer =
        around(node, nodes).find(|outer| outer.kind == ElementType::Transaction || undoes(outer));
    let found = match outer {
        Some(outer) if undoes(outer) => format!(
            "`{}` around it is a compensation handler, which cannot be cancelled",
            outer.id
        ),
        Some(outer) if !cancelled.contains_key(outer.id.as_str()) => {
            let message = format!(
                "expected a cancel boundary event at transaction `{}`, by which it is left when \
                it is cancelled, but there is none; attach one",
                outer.id
            );
            return report.error(&node.id, "missing_cancel_boundary", message);
        }
        Some(_) => return,
        None => "it is in none".to_owned(),
    };
    let message =
        format!("expected a cancel end event in a transaction, but {found}; use another end event");
    report.error(&node.id, "no_transaction", message);
}

/// Activities that are compensated or cancelled as a whole have no back steps.
fn check_back_steps(definition: &ProcessDefinition, undoing: &HashSet<&str>, report: &mut Report) {
    let undoes = |outer: &FlowNode| outer.for_compensation || undoing.contains(&*outer.id);
    let is_closed = |outer: &FlowNode| outer.kind == ElementType::Transaction || undoes(outer);
    let found = back_steps::in_closed(definition, |outer, node| {
        if outer.id == node.id {
            node.for_compensation
        } else {
            is_closed(outer)
        }
    });
    for (node, action, outer) in found {
        let what = if undoes(outer) {
            "compensation handler"
        } else {
            "transaction"
        };
        let message = format!(
            "expected no allowBack in {what} `{}`, which is undone as a whole, but action `{}` has \
            it; remove it",
            outer.id, action.name
        );
        report.error(&node.id, "unsupported_back_step", message);
    }
}
