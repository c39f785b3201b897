//! The definitions of events that a node may have, by its kind.
//!
//! Not here: what a boundary event is attached to (`boundary`), schedules of start events
//! (`schedules`).

mod several;

use super::{MAX_NAME_BYTES, Report, messages};
use crate::model::{
    definition::{ElementType, FlowNode},
    event_definition::EventDefinition,
    node_kind::TimerDefinition,
};

/// Checks the events of a node; `begins` says whether it is the start event of an event subprocess.
pub(super) fn check(node: &FlowNode, begins: bool, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    if node.attached_to.is_some() && node.kind != ElementType::BoundaryEvent {
        let message = format!(
            "expected `attachedTo` on boundary events only, but this is a {kind}; remove it"
        );
        report.error(&node.id, "misplaced_attachment", message);
    }
    if !node.interrupting && node.kind != ElementType::BoundaryEvent && !begins {
        let message = format!(
            "expected `interrupting` on boundary events and start events of event subprocesses only, \
            but this is a {kind}; remove it"
        );
        report.error(&node.id, "misplaced_interrupting", message);
    }
    for event in &node.events {
        check_event(node, event, report);
    }
    several::check(node, begins, report);
}

/// Checks one of the event definitions of a node by itself.
fn check_event(node: &FlowNode, event: &EventDefinition, report: &mut Report) {
    match event {
        EventDefinition::Error { code: Some(text) }
        | EventDefinition::Escalation { code: Some(text) }
        | EventDefinition::Link { name: text }
            if text.trim().is_empty() || text.len() > MAX_NAME_BYTES =>
        {
            let (what, code) = match event {
                EventDefinition::Escalation { .. } => {
                    ("escalation code", "invalid_escalation_code")
                }
                EventDefinition::Link { .. } => ("name of the link", "invalid_link_name"),
                EventDefinition::Error { .. }
                | EventDefinition::Conditional { .. }
                | EventDefinition::Timer { .. }
                | EventDefinition::Message { .. }
                | EventDefinition::Signal { .. }
                | EventDefinition::Compensation { .. }
                | EventDefinition::Cancel
                | EventDefinition::Terminate => ("error code", "invalid_error_code"),
            };
            let message = format!(
                "expected an {what} of 1 to {MAX_NAME_BYTES} bytes, but this one has {}; correct \
                it",
                text.len()
            );
            report.error(&node.id, code, message.replace("an name", "a name"));
        }
        EventDefinition::Error { .. } if !node.interrupting => {
            let message = "expected an event that catches an error to interrupt, but it does not \
                (cancelActivity or isInterrupting is false), which is not possible for an error; \
                remove that";
            report.error(&node.id, "unsupported_attribute", message);
        }
        EventDefinition::Timer { when, time_zone } => {
            if let Err(sentence) = TimerDefinition::compile(when, time_zone.as_deref()) {
                report.error(&node.id, "invalid_timer", format!("the timer: {sentence}"));
            }
        }
        EventDefinition::Message { .. } | EventDefinition::Signal { .. } => {
            messages::check(node, event, report);
        }
        EventDefinition::Conditional { condition } if is_empty(condition) => {
            let message =
                "expected a condition such as ${amount > 100}, but it is empty; write one";
            report.error(&node.id, "invalid_condition", message);
        }
        EventDefinition::Conditional { .. } if node.start_condition.is_some() => {
            messages::check_start_condition(node, "condition", report);
        }
        EventDefinition::Error { .. }
        | EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Conditional { .. }
        | EventDefinition::Terminate => {}
    }
}

fn is_empty(condition: &str) -> bool {
    matches!(condition.trim(), "" | "${}")
}

/// Checks that an element of this type may have these definitions. Only for elements that were read
/// completely: a definition that could not be read is missing here.
pub(super) fn check_definition(node: &FlowNode, begins: bool, report: &mut Report) {
    if node.events.is_empty() {
        check_fits(node, None, begins, report);
    }
    for event in &node.events {
        check_fits(node, Some(event), begins, report);
    }
}

fn check_fits(node: &FlowNode, event: Option<&EventDefinition>, begins: bool, report: &mut Report) {
    if fits(node, event, begins) {
        return;
    }
    let expected = expected(node, begins);
    let found = event.map_or("there is none", EventDefinition::bpmn_name);
    let message = format!(
        "expected {expected} as the event definition of a {}, but it is {found}; correct it",
        node.kind.bpmn_name()
    );
    report.error(&node.id, "unsupported_event", message);
}

fn fits(node: &FlowNode, event: Option<&EventDefinition>, begins: bool) -> bool {
    use ElementType as Type;
    use EventDefinition as Event;
    match (node.kind, event) {
        (Type::BoundaryEvent | Type::IntermediateCatchEvent, None) => false,
        (Type::StartEvent, event) if begins => matches!(
            event,
            Some(
                Event::Error { .. }
                    | Event::Escalation { .. }
                    | Event::Conditional { .. }
                    | Event::Timer { .. }
                    | Event::Message { .. }
                    | Event::Signal { .. }
                    | Event::Compensation { .. }
            )
        ),
        (_, None) => true,
        (Type::EndEvent, Some(Event::Error { .. })) => true,
        (Type::EndEvent | Type::IntermediateThrowEvent, Some(Event::Escalation { code })) => {
            code.is_some()
        }
        (
            Type::EndEvent | Type::IntermediateThrowEvent | Type::BoundaryEvent,
            Some(Event::Compensation { .. }),
        ) => true,
        (Type::EndEvent | Type::BoundaryEvent, Some(Event::Cancel)) => true,
        (Type::EndEvent, Some(Event::Terminate)) => true,
        (Type::BoundaryEvent, Some(Event::Error { .. } | Event::Escalation { .. })) => true,
        (Type::IntermediateThrowEvent | Type::IntermediateCatchEvent, Some(Event::Link { .. })) => {
            true
        }
        (
            Type::BoundaryEvent | Type::IntermediateCatchEvent,
            Some(Event::Conditional { .. } | Event::Timer { .. }),
        ) => true,
        (
            Type::BoundaryEvent
            | Type::IntermediateCatchEvent
            | Type::IntermediateThrowEvent
            | Type::EndEvent,
            Some(Event::Message { .. } | Event::Signal { .. }),
        ) => true,
        (Type::SendTask | Type::ReceiveTask, Some(Event::Message { .. })) => true,
        (
            Type::StartEvent,
            Some(Event::Message { .. } | Event::Signal { .. } | Event::Conditional { .. }),
        ) => node.scope.is_none(),
        (
            _,
            Some(
                Event::Error { .. }
                | Event::Escalation { .. }
                | Event::Link { .. }
                | Event::Compensation { .. }
                | Event::Cancel
                | Event::Terminate
                | Event::Conditional { .. }
                | Event::Timer { .. }
                | Event::Message { .. }
                | Event::Signal { .. },
            ),
        ) => false,
    }
}

/// The definitions that a node may have, in words.
fn expected(node: &FlowNode, begins: bool) -> &'static str {
    use ElementType as Type;
    match node.kind {
        Type::BoundaryEvent => {
            "an error, an escalation, a condition, a timer, a message, a signal, compensation or \
            cancel"
        }
        Type::StartEvent if begins => {
            "an error, an escalation, a condition, a timer, a message, a signal or compensation"
        }
        Type::IntermediateCatchEvent => "a condition, a timer, a message, a signal or a link",
        Type::IntermediateThrowEvent => {
            "an escalation with a code, a message, a signal, a link, compensation, or nothing"
        }
        Type::EndEvent => {
            "an error, an escalation with a code, a message, a signal, \
            compensation, cancel, terminate, or nothing"
        }
        Type::SendTask | Type::ReceiveTask => "a message, or nothing",
        Type::StartEvent if node.scope.is_none() => "a message, a signal, a condition, or nothing",
        _ => "nothing",
    }
}
