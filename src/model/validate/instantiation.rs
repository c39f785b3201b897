//! What starts a process besides its start events: receive tasks and event-based gateways with
//! `instantiate` (BPMN 2.0.2, 10.3.3 and 10.6.6).
//!
//! Not here: start events (`graph`); what follows any event-based gateway (`event_gateways`).

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::model::{
    definition::{ElementType, FlowNode, ProcessDefinition},
    event_definition::EventDefinition,
    message_event::MessageDefinition,
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let entered: HashSet<&str> = definition
        .flows
        .iter()
        .map(|flow| flow.target.as_str())
        .collect();
    for node in &definition.nodes {
        if node.instantiate {
            check_node(node, entered.contains(&*node.id), report);
        }
        if !node.event_gateway_type.is_exclusive() && !node.instantiate {
            let message = "expected an event-based gateway that waits for one event, but its \
                eventGatewayType is parallel, which only one that starts the process may be; add \
                `instantiate`, or remove it";
            report.error(&node.id, "misplaced_event_gateway_type", message);
        }
    }
    if definition.nodes.iter().any(|node| node.instantiate) {
        let behind = behind(definition);
        for (gateway, event) in &behind {
            check_event(gateway, event, report);
        }
        check_names(definition, &behind, report);
    }
}

/// The events behind gateways that start the process.
fn behind(definition: &ProcessDefinition) -> Vec<(&FlowNode, &FlowNode)> {
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let starts = |gateway: &&&FlowNode| {
        gateway.instantiate && gateway.kind == ElementType::EventBasedGateway
    };
    let flows = definition.flows.iter();
    flows
        .filter_map(|flow| {
            let gateway = nodes.get(flow.source.as_str()).filter(starts)?;
            Some((*gateway, *nodes.get(flow.target.as_str())?))
        })
        .collect()
}

fn check_node(node: &FlowNode, is_entered: bool, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    let is_receive = node.kind == ElementType::ReceiveTask;
    if !is_receive && node.kind != ElementType::EventBasedGateway {
        let message = format!(
            "expected `instantiate` on receive tasks and event-based gateways only, but this is a \
            {kind}; remove it"
        );
        return report.error(&node.id, "misplaced_instantiate", message);
    }
    let found = if node.scope.is_some() {
        "it lies in a subprocess; move it, or remove `instantiate`"
    } else if is_entered {
        "a flow enters it; remove that, or `instantiate`"
    } else if is_receive && node.events.is_empty() {
        "it has no message; name one"
    } else if is_receive && (node.looping.is_some() || node.for_compensation) {
        "it runs in a loop or undoes something; remove that, or `instantiate`"
    } else {
        return;
    };
    let message = format!(
        "expected a {kind} that starts the process by a message, with nothing before it, but {found}"
    );
    report.error(&node.id, "invalid_instantiate", message);
}

/// An event that starts the process is a message with a fixed name, or one of several.
fn check_event(gateway: &FlowNode, event: &FlowNode, report: &mut Report) {
    if event.parallel_multiple && event.events.len() > 1 {
        let message = format!(
            "expected one message to come at each event behind gateway `{}`, as it starts the \
            process, but `{}` has parallelMultiple; draw an event for each behind a parallel gateway",
            gateway.id, event.id
        );
        report.error(&event.id, "event_gateway_target", message);
    }
    if event.events.is_empty() {
        check_message(gateway, event, None, report);
    }
    for definition in &event.events {
        check_message(gateway, event, Some(definition), report);
    }
}

fn check_message(
    gateway: &FlowNode,
    event: &FlowNode,
    definition: Option<&EventDefinition>,
    report: &mut Report,
) {
    let Some(EventDefinition::Message {
        name,
        correlation_key,
        ..
    }) = definition
    else {
        let found = definition.map_or("none", EventDefinition::bpmn_name);
        let message = format!(
            "expected messages behind gateway `{}`, as it starts the process, but `{}` waits for \
            another event ({found}); draw a start event for that",
            gateway.id, event.id
        );
        return report.error(&event.id, "event_gateway_target", message);
    };
    if correlation_key.is_some() && gateway.event_gateway_type.is_exclusive() {
        let message = format!(
            "expected a correlation key only where a message is waited for, but that of `{}` starts \
            the process: it has no effect; remove it",
            event.id
        );
        report.warning(&event.id, "no_effect", message);
    }
    let message = MessageDefinition::compile(name, None, None, None);
    // An invalid name is reported with the event itself.
    if message.is_ok_and(|message| message.fixed_name().is_none()) {
        let message = "expected a fixed name of the message that starts the process, but it has a \
            placeholder, and there are no data before the start; write the name";
        report.error(&event.id, "invalid_message", message);
    }
}

/// Each message starts the process at one place.
fn check_names(
    definition: &ProcessDefinition,
    behind: &[(&FlowNode, &FlowNode)],
    report: &mut Report,
) {
    let is_start = |node: &&FlowNode| match node.kind {
        ElementType::StartEvent => node.scope.is_none(),
        _ => node.instantiate,
    };
    let starts = definition.nodes.iter().filter(is_start);
    let events = behind.iter().map(|(_, event)| *event);
    let mut names: HashMap<&str, &FlowNode> = HashMap::new();
    for start in starts.chain(events) {
        let both_events = |other: &FlowNode| {
            [start.kind, other.kind] == [ElementType::StartEvent, ElementType::StartEvent]
        };
        for event in &start.events {
            let EventDefinition::Message { name, .. } = event else {
                continue;
            };
            let Some(other) = names.insert(name, start) else {
                continue;
            };
            if both_events(other) || other.id == start.id {
                continue;
            }
            let message = format!(
                "expected each message to start the process at one place, but `{name}` does at `{}` \
                and at `{}`; remove one",
                other.id, start.id
            );
            report.error(&start.id, "ambiguous_start", message);
        }
    }
}
