//! Compares `gatewayDirection` with the flows of a gateway. It has no effect, but one that contradicts
//! the flows shows that the drawing is not what its author meant (BPMN 2.0.2, 10.6.1).

use std::collections::HashMap;

use roxmltree::Node;

use super::{nodes, reader::Reader, xml::filled};
use crate::model::definition::ProcessDefinition;

/// Reports the gateways of a process whose direction contradicts their flows.
pub(super) fn check(
    process: Node<'_, '_>,
    definition: &ProcessDefinition,
    reader: &mut Reader<'_>,
) {
    let (mut incoming, mut outgoing): (HashMap<&str, usize>, HashMap<&str, usize>) =
        Default::default();
    for flow in &definition.flows {
        *incoming.entry(&flow.target).or_default() += 1;
        *outgoing.entry(&flow.source).or_default() += 1;
    }
    let nodes = process.descendants();
    for node in nodes.filter(|node| nodes::is_flow_node(*node)) {
        let (Some(id), Some(direction)) = (
            filled(node.attribute("id")),
            filled(node.attribute("gatewayDirection")),
        ) else {
            continue;
        };
        let count = |flows: &HashMap<&str, usize>| flows.get(id).copied().unwrap_or(0);
        let (enter, leave) = (count(&incoming), count(&outgoing));
        let (several_enter, several_leave) = match direction {
            "Converging" => (true, false),
            "Diverging" => (false, true),
            "Mixed" => (true, true),
            _ => continue,
        };
        let is_wrong = (!several_enter && enter > 1) || (!several_leave && leave > 1);
        let lacks = (several_enter && enter < 2) || (several_leave && leave < 2);
        if !is_wrong && !lacks {
            continue;
        }
        let message = format!(
            "expected a gateway with `gatewayDirection=\"{direction}\"` to have {} incoming and {} \
            outgoing, but {enter} enter and {leave} leave it; correct the flows, or remove \
            `gatewayDirection`",
            described(several_enter),
            described(several_leave)
        );
        if is_wrong {
            reader.left_open(id, "gateway_direction", message);
        } else {
            let message = format!("{message}. It has no effect");
            reader.warning(id, "gateway_direction", message);
        }
    }
}

fn described(several: bool) -> &'static str {
    if several {
        "several flows"
    } else {
        "at most one flow"
    }
}
