//! What a node may carry, by its kind.

use super::{MAX_NAME_BYTES, Report, actions, keys, params, task_settings};
use crate::model::{
    definition::{CallActivity, FlowNode, NodeKind},
    path::DataPath,
};

pub(super) fn check(node: &FlowNode, anonymous_start: bool, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    match node.kind {
        NodeKind::StartEvent => {
            keys::check(&node.id, "the start event", &node.keys, report);
            if anonymous_start && node.keys.is_empty() && node.schedule.is_none() {
                let message = "expected keys, as anyone may start this process, but there are \
                    none: list what start data is accepted";
                report.error(&node.id, "missing_keys", message);
            }
        }
        _ => {
            if !node.keys.is_empty() {
                let message = format!(
                    "expected keys on start events and manual actions only, but this is a \
                    {kind}; move them to an action"
                );
                report.error(&node.id, "misplaced_keys", message);
            }
            if node.start_condition.is_some() {
                let message = format!(
                    "expected a start condition on start events only, but this is a {kind}; \
                    remove it"
                );
                report.error(&node.id, "misplaced_start_condition", message);
            }
        }
    }
    match (node.kind, &node.call) {
        (NodeKind::CallActivity, Some(call)) => check_call(node, call, report),
        (NodeKind::CallActivity, None) => {
            report.error(
                &node.id,
                "missing_called_element",
                "expected a called process, but there is none; add `call`",
            );
        }
        (_, Some(_)) => {
            let message =
                format!("expected `call` on call activities only, but this is a {kind}; remove it");
            report.error(&node.id, "misplaced_call", message);
        }
        (_, None) => {}
    }
    check_error(node, report);
    task_settings::check(node, report);
    let has_no_actions = matches!(
        node.kind,
        NodeKind::ExclusiveGateway | NodeKind::ParallelGateway | NodeKind::CallActivity
    );
    if has_no_actions && !node.actions.is_empty() {
        let message = format!(
            "expected actions on tasks and events only, but this is a {kind}; move them to a task"
        );
        report.error(&node.id, "misplaced_actions", message);
    }
    actions::check(node, report);
}

/// Checks what only error end events and boundary events carry.
fn check_error(node: &FlowNode, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    match node.error_code.as_deref() {
        Some(_) if !matches!(node.kind, NodeKind::EndEvent | NodeKind::BoundaryEvent) => {
            let message = format!(
                "expected an error code on end and boundary events only, but this is a {kind}; \
                remove it"
            );
            report.error(&node.id, "misplaced_error_code", message);
        }
        Some(code) if code.trim().is_empty() || code.len() > MAX_NAME_BYTES => {
            let message = format!(
                "expected an error code of 1 to {MAX_NAME_BYTES} bytes, but this one has {}; \
                correct it",
                code.len()
            );
            report.error(&node.id, "invalid_error_code", message);
        }
        _ => {}
    }
    if node.attached_to.is_some() && node.kind != NodeKind::BoundaryEvent {
        let message = format!(
            "expected `attachedTo` on boundary events only, but this is a {kind}; remove it"
        );
        report.error(&node.id, "misplaced_attachment", message);
    }
}

fn check_call(node: &FlowNode, call: &CallActivity, report: &mut Report) {
    if call.called_element.is_empty() {
        let message =
            "expected the id of the called process, but `calledElement` is missing; add it";
        report.error(&node.id, "missing_called_element", message);
    } else {
        report.name(&node.id, "calledElement", &call.called_element);
    }
    params::check_copying(
        &node.id,
        "the call activity",
        call.params_to_copy.as_deref(),
        &call.without_params,
        report,
    );
    params::check_output(
        &node.id,
        "the call activity",
        call.output_key.as_deref(),
        call.output.as_deref(),
        report,
    );
    if let Some(Err(sentence)) = call.collection.as_deref().map(DataPath::parse) {
        report.error(
            &node.id,
            "invalid_path",
            format!("the call activity, collection: {sentence}"),
        );
    }
}
