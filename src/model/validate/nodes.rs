//! The members that a node may have, by its kind.

use super::{
    Report, actions, event_subprocesses::EventSubprocesses, events, keys, params, task_settings,
};
use crate::model::{
    called_process::CalledProcess,
    computed_template::ComputedTemplate,
    definition::{CallActivity, ElementType, FlowNode},
};

pub(super) fn check(
    node: &FlowNode,
    anonymous_start: bool,
    event_subprocesses: &EventSubprocesses<'_>,
    report: &mut Report,
) {
    let kind = node.kind.bpmn_name();
    check_start(node, anonymous_start, report);
    check_called(node, report);
    events::check(node, event_subprocesses.is_begun_by(node), report);
    if node.triggered_by_event && node.kind != ElementType::SubProcess {
        let message = format!(
            "expected `triggeredByEvent` on subprocesses only, but this is a {kind}; remove it"
        );
        report.error(&node.id, "misplaced_triggered_by_event", message);
    }
    task_settings::check(node, report);
    let has_no_actions = matches!(
        node.kind,
        ElementType::ExclusiveGateway
            | ElementType::InclusiveGateway
            | ElementType::ParallelGateway
            | ElementType::ComplexGateway
            | ElementType::EventBasedGateway
            | ElementType::CallActivity
            | ElementType::SubProcess
            | ElementType::Transaction
    );
    if has_no_actions && !node.actions.is_empty() {
        let message = format!(
            "expected actions on tasks and events only, but this is a {kind}; move them to a task"
        );
        report.error(&node.id, "misplaced_actions", message);
    }
    actions::check(node, report);
}

/// Checks the members that belong to start events.
fn check_start(node: &FlowNode, anonymous_start: bool, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    match node.kind {
        ElementType::StartEvent if node.scope.is_some() => check_inner_start(node, report),
        ElementType::StartEvent => {
            keys::check(&node.id, "the start event", &node.keys, report);
            if anonymous_start
                && node.keys.is_empty()
                && node.schedule.is_none()
                && node.events.is_empty()
            {
                let message = "expected keys, because anyone may start this process, but there are \
                    none: list the start data that are accepted";
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
}

/// Checks the member that belongs to call activities.
fn check_called(node: &FlowNode, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    match (node.kind, &node.call) {
        (ElementType::CallActivity, Some(call)) => check_call(node, call, report),
        (ElementType::CallActivity, None) => {
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
}

/// The start event of an embedded subprocess begins with the subprocess, and with nothing else.
fn check_inner_start(node: &FlowNode, report: &mut Report) {
    let found = [
        ("a start condition", node.start_condition.is_some()),
        ("a schedule", node.schedule.is_some()),
        ("keys", !node.keys.is_empty()),
    ];
    for (what, _) in found.into_iter().filter(|(_, is_there)| *is_there) {
        let message = format!(
            "expected nothing but flows and actions on the start event of a subprocess, but it \
            has {what}; remove it"
        );
        report.error(&node.id, "misplaced_start", message);
    }
}

fn check_call(node: &FlowNode, call: &CallActivity, report: &mut Report) {
    if call.called_element.is_empty() {
        let message =
            "expected the id of the called process, but `calledElement` is missing; add it";
        report.error(&node.id, "missing_called_element", message);
    } else {
        match CalledProcess::compile(&call.called_element) {
            Err(sentence) => {
                let message = format!("calledElement: {sentence}");
                report.error(&node.id, "invalid_template", message);
            }
            Ok(called) => {
                if let Some(id) = called.fixed() {
                    report.name(&node.id, "calledElement", id);
                }
            }
        }
    }
    params::check_copying(
        &node.id,
        "the call activity",
        call.params_to_copy.as_deref(),
        &call.without_params,
        report,
    );
    let key = call
        .business_key
        .as_deref()
        .map(ComputedTemplate::compile_text);
    if let Some(Err(sentence)) = key {
        let message = format!("the call activity, businessKey: {sentence}");
        report.error(&node.id, "invalid_template", message);
    }
    params::check_output(
        &node.id,
        "the call activity",
        call.output_key.as_deref(),
        call.output.as_deref(),
        report,
    );
}
