//! Event-based gateways: what may follow one (BPMN 2.0.2, 10.6.6).

use std::collections::HashMap;

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
    let mut incoming: HashMap<&str, usize> = HashMap::new();
    let mut outgoing: HashMap<&str, usize> = HashMap::new();
    for flow in &definition.flows {
        *incoming.entry(&flow.target).or_default() += 1;
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
            report.error(&gateway.id, "event_gateway_events", message);
        }
    }
    for flow in &definition.flows {
        let (Some(gateway), Some(event)) = (
            gateways.get(flow.source.as_str()),
            nodes.get(flow.target.as_str()),
        ) else {
            continue;
        };
        let is_link = matches!(event.event, Some(EventDefinition::Link { .. }));
        if event.kind != ElementType::IntermediateCatchEvent || is_link {
            let message = format!(
                "expected an intermediate catch event that waits behind the event-based gateway \
                `{}`, but `{}` is a {}{}; put an event between",
                gateway.id,
                event.id,
                event.kind.bpmn_name(),
                if is_link { " of a link" } else { "" }
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
