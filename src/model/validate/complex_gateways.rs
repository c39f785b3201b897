//! Complex gateways: the condition on which a join continues (BPMN 2.0.2, 13.4.5).
//!
//! Not here: whether conditions compile (`expression`), the flows that leave a gateway (`graph`).

use std::collections::HashMap;

use super::Report;
use crate::model::{
    definition::{ElementType, FlowNode, ProcessDefinition, SequenceFlow},
    node_kind::WAITING_FOR_START,
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let is_complex = |node: &&FlowNode| node.kind == ElementType::ComplexGateway;
    let misplaced = definition.nodes.iter().filter(|node| !is_complex(node));
    for node in misplaced.filter(|node| node.activation_condition.is_some()) {
        let message = format!(
            "expected `activationCondition` on complex gateways only, but this is a {}; remove it",
            node.kind.bpmn_name()
        );
        report.error(&node.id, "misplaced_activation_condition", message);
    }
    if !definition.nodes.iter().any(|node| is_complex(&node)) {
        return;
    }
    let mut incoming: HashMap<&str, usize> = HashMap::new();
    let mut outgoing: HashMap<&str, Vec<&SequenceFlow>> = HashMap::new();
    for flow in &definition.flows {
        *incoming.entry(&flow.target).or_default() += 1;
        outgoing.entry(&flow.source).or_default().push(flow);
    }
    for node in definition.nodes.iter().filter(is_complex) {
        let joins = incoming.get(&*node.id).copied().unwrap_or(0) > 1;
        let flows = outgoing.get(&*node.id).map_or(&[][..], Vec::as_slice);
        match &node.activation_condition {
            None if joins => {
                let message = "expected an activationCondition such as ${activationCount >= 2} on a \
                    complex gateway that joins, but there is none: it waits for every token that can \
                    still come, as an inclusive gateway does; write one";
                report.warning(&node.id, "no_activation_condition", message);
            }
            Some(text) if matches!(text.trim(), "" | "${}") => {
                let message = "expected an expression such as ${activationCount >= 2} as \
                    activationCondition, but it is empty; write one";
                report.error(&node.id, "invalid_condition", message);
            }
            Some(_) if joins => check_flows(node, flows, report),
            Some(_) | None => {}
        }
    }
}

/// Warns of flows that may be taken twice: as the gateway continues, and as it resets.
fn check_flows(node: &FlowNode, flows: &[&SequenceFlow], report: &mut Report) {
    let is_default = |flow: &SequenceFlow| node.default_flow.as_deref() == Some(&*flow.id);
    for flow in flows.iter().filter(|flow| !is_default(flow)) {
        let condition = flow.condition.as_deref().unwrap_or(WAITING_FOR_START);
        if !condition.contains(WAITING_FOR_START) {
            let message = format!(
                "expected a condition that reads `{WAITING_FOR_START}`, but this one does not: it is \
                evaluated when gateway `{}` continues, and again when it resets, and may be true both times; \
                write ${{{WAITING_FOR_START} && …}}",
                node.id
            );
            report.warning(&flow.id, "flow_taken_twice", message);
        }
    }
}
