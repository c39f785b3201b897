//! How many tokens begin and leave an activity.

use std::collections::HashSet;

use super::Report;
use crate::{
    limits::TOKEN_QUANTITY,
    model::definition::{FlowNode, ProcessDefinition},
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let entered: HashSet<&str> = definition
        .flows
        .iter()
        .map(|flow| flow.target.as_str())
        .collect();
    for node in &definition.nodes {
        let quantities = [
            ("startQuantity", node.start_quantity),
            ("completionQuantity", node.completion_quantity),
        ];
        for (name, quantity) in quantities
            .into_iter()
            .filter(|(_, quantity)| *quantity != 1)
        {
            check_one(node, name, quantity, report);
        }
        if node.start_quantity > 1 && node.kind.is_activity() && !entered.contains(&*node.id) {
            let message = "expected a flow that enters an activity with `startQuantity`, as its \
                tokens are waited for, but none does: it has no effect; draw one, or remove it";
            report.warning(&node.id, "no_effect", message);
        }
    }
}

fn check_one(node: &FlowNode, name: &str, quantity: u32, report: &mut Report) {
    if !node.kind.is_activity() {
        let message = format!(
            "expected `{name}` on activities only, but this is a {}; remove it",
            node.kind.bpmn_name()
        );
        report.error(&node.id, "misplaced_quantity", message);
    } else if !(1..=TOKEN_QUANTITY).contains(&quantity) {
        let message = format!(
            "expected `{name}` to be a whole number of 1 to {TOKEN_QUANTITY}, but it is \
            {quantity}; correct it"
        );
        report.error(&node.id, "invalid_quantity", message);
    }
}
