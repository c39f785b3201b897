//! Boundary events: what they are attached to, and that each failure has one place to go.
//!
//! Not here: their flows (`graph`), their error codes by themselves (`nodes`).

use std::collections::HashMap;

use super::Report;
use crate::model::{
    action::ActionType,
    definition::{FlowNode, NodeKind, ProcessDefinition},
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut taken: HashMap<(&str, Option<&str>), &str> = HashMap::new();
    for event in definition
        .nodes
        .iter()
        .filter(|node| node.kind == NodeKind::BoundaryEvent)
    {
        let Some(activity) = event.attached_to.as_deref() else {
            let message = "expected an activity the boundary event is attached to, but there is \
                none; name one by `attachedToRef` (in JSON `attachedTo`)";
            report.error(&event.id, "missing_attachment", message);
            continue;
        };
        match nodes.get(activity) {
            None => {
                let message = format!(
                    "expected the boundary event to be attached to an activity of the process, \
                    but `{activity}` is none; attach it to one"
                );
                report.error(&event.id, "unknown_node", message);
            }
            Some(node) if !waits_for_children(node) => {
                let message = format!(
                    "expected the boundary event to be attached to a call activity or to a task \
                    with a startSubprocess of async=\"false\", but `{activity}` waits for no \
                    child that could fail; attach it to one that does"
                );
                report.error(&event.id, "nothing_to_catch", message);
            }
            Some(_) => {}
        }
        if let Some(other) = taken.insert((activity, event.error_code.as_deref()), &event.id) {
            let what = event
                .error_code
                .as_ref()
                .map_or("every failure".to_owned(), |code| format!("error `{code}`"));
            let message = format!(
                "expected one boundary event of `{activity}` to catch {what}, but `{other}` and \
                this one do; remove one"
            );
            report.error(&event.id, "ambiguous_boundary", message);
        }
    }
}

fn waits_for_children(node: &FlowNode) -> bool {
    match node.kind {
        NodeKind::CallActivity => true,
        NodeKind::Task | NodeKind::UserTask | NodeKind::ServiceTask | NodeKind::SendTask => {
            node.actions.iter().any(|action| {
                matches!(
                    action.work,
                    ActionType::StartSubprocess {
                        asynchronous: false,
                        ..
                    }
                )
            })
        }
        _ => false,
    }
}
