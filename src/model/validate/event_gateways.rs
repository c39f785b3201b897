//! Event-based gateways: the nodes that may follow one (BPMN 2.0.2, 10.6.6).
//!
//! Not here: further rules of those that start the process (`instantiation`).

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::model::{
    definition::{ElementType, FlowNode, ProcessDefinition},
    event_definition::EventDefinition,
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let gateways: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .filter(|node| node.kind == ElementType::EventBasedGateway)
        .map(|node| (node.id.as_str(), node))
        .collect();
    if gateways.is_empty() {
        return;
    }
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let attached: HashSet<&str> = definition
        .nodes
        .iter()
        .filter_map(|node| node.attached_to.as_deref())
        .collect();
    check_number(definition, &gateways, report);
    check_targets(definition, &gateways, &nodes, &attached, report);
    check_mixed(definition, &gateways, &nodes, report);
}

/// Checks that each gateway has at least two events behind it.
fn check_number(
    definition: &ProcessDefinition,
    gateways: &HashMap<&str, &FlowNode>,
    report: &mut Report,
) {
    let mut outgoing: HashMap<&str, usize> = HashMap::new();
    for flow in &definition.flows {
        *outgoing.entry(&flow.source).or_default() += 1;
    }
    for gateway in definition
        .nodes
        .iter()
        .filter(|node| gateways.contains_key(node.id.as_str()))
    {
        let found = outgoing.get(gateway.id.as_str()).copied().unwrap_or(0);
        if found < 2 {
            let message = format!(
                "expected at least two events behind an event-based gateway, but there are {found}; \
                draw another, or remove the gateway"
            );
            if found == 0 {
                report.error(&gateway.id, "event_gateway_events", message);
            } else {
                report.warning(&gateway.id, "event_gateway_events", message);
            }
        }
    }
}

/// Checks that each node behind a gateway waits for an event, and that no other flow enters it.
fn check_targets(
    definition: &ProcessDefinition,
    gateways: &HashMap<&str, &FlowNode>,
    nodes: &HashMap<&str, &FlowNode>,
    attached: &HashSet<&str>,
    report: &mut Report,
) {
    let mut incoming: HashMap<&str, usize> = HashMap::new();
    for flow in &definition.flows {
        *incoming.entry(&flow.target).or_default() += 1;
    }
    for flow in &definition.flows {
        let (Some(gateway), Some(event)) = (
            gateways.get(flow.source.as_str()),
            nodes.get(flow.target.as_str()),
        ) else {
            continue;
        };
        if let Some(found) = unfit(event, attached) {
            let message = format!(
                "expected an intermediate catch event, or a receive task with a message, that waits \
                behind the event-based gateway `{}`, but `{}` is a {}{found}; put an event between",
                gateway.id,
                event.id,
                event.kind.bpmn_name(),
            );
            report.error(&flow.id, "event_gateway_target", message);
        } else if incoming
            .get(event.id.as_str())
            .is_some_and(|found| *found > 1)
        {
            let message = format!(
                "expected no other flow to enter `{}`, as it is behind the event-based gateway \
                `{}`, but one does; draw an event of its own for that",
                event.id, gateway.id
            );
            report.error(&event.id, "event_gateway_other_flow", message);
        }
    }
}

/// Why a node cannot be waited for after a gateway, as words after its kind; `None` if it can.
fn unfit(event: &FlowNode, attached: &HashSet<&str>) -> Option<&'static str> {
    match event.kind {
        ElementType::IntermediateCatchEvent => event.link().map(|_| " of a link"),
        ElementType::ReceiveTask if event.events.is_empty() => Some(" without a message"),
        ElementType::ReceiveTask if attached.contains(&*event.id) => {
            Some(" with an event at its boundary")
        }
        ElementType::ReceiveTask if event.looping.is_some() => Some(" that runs in a loop"),
        ElementType::ReceiveTask => None,
        _ => Some(""),
    }
}

/// Warns about a gateway with both message events and receive tasks, which the standard does not
/// mix.
fn check_mixed(
    definition: &ProcessDefinition,
    gateways: &HashMap<&str, &FlowNode>,
    nodes: &HashMap<&str, &FlowNode>,
    report: &mut Report,
) {
    let mut found: HashMap<&str, (bool, bool)> = HashMap::new();
    for flow in &definition.flows {
        let gateway = gateways.get(flow.source.as_str());
        let event = nodes.get(flow.target.as_str());
        if let (Some(gateway), Some(event)) = (gateway, event) {
            let seen = found.entry(&gateway.id).or_default();
            let is_message =
                |event: &EventDefinition| matches!(event, EventDefinition::Message { .. });
            let is_message = event.events.iter().any(is_message);
            seen.0 |= event.kind == ElementType::ReceiveTask;
            seen.1 |= event.kind == ElementType::IntermediateCatchEvent && is_message;
        }
    }
    for gateway in &definition.nodes {
        if found.get(&*gateway.id) == Some(&(true, true)) {
            let message = "expected message events or receive tasks behind an event-based gateway, \
                but there are both, which other tools may refuse; draw one of the two";
            report.warning(&gateway.id, "event_gateway_mixed", message);
        }
    }
}
