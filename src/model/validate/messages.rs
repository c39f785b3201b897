//! Messages and signals of events: names, correlation keys, data, and that each attribute has an
//! effect.

use super::Report;
use crate::model::{
    definition::{ElementType, FlowNode},
    event_definition::EventDefinition,
    message_event::{MessageDefinition, SignalDefinition},
};

/// Checks a message or signal of a node.
pub(super) fn check(node: &FlowNode, event: &EventDefinition, report: &mut Report) {
    let (what, compiled, written) = match event {
        EventDefinition::Message {
            name,
            correlation_key,
            data,
            time_to_live,
        } => {
            let compiled = MessageDefinition::compile(
                name,
                correlation_key.as_deref(),
                data.as_deref(),
                time_to_live.as_deref(),
            );
            let fixed = compiled.map(|message| message.fixed_name().is_some());
            let written = [
                ("correlationKey", correlation_key.is_some()),
                ("data", data.is_some()),
                ("timeToLive", time_to_live.is_some()),
            ];
            ("message", fixed, written.to_vec())
        }
        EventDefinition::Signal {
            name,
            data,
            business_key,
        } => {
            let compiled =
                SignalDefinition::compile(name, data.as_deref(), business_key.as_deref());
            let fixed = compiled.map(|signal| signal.fixed_name().is_some());
            let written = [
                ("data", data.is_some()),
                ("businessKey", business_key.is_some()),
            ];
            ("signal", fixed, written.to_vec())
        }
        EventDefinition::Error { .. }
        | EventDefinition::Conditional { .. }
        | EventDefinition::Timer { .. }
        | EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => return,
    };
    match compiled {
        Err(sentence) => {
            report.error(
                &node.id,
                "invalid_message",
                format!("the {what}: {sentence}"),
            );
        }
        Ok(false)
            if node.instantiate
                || (node.kind == ElementType::StartEvent && node.scope.is_none()) =>
        {
            let message = format!(
                "expected a fixed name of the {what} that starts the process, but it has a \
                placeholder, and there are no data before the start; write the name"
            );
            report.error(&node.id, "invalid_message", message);
        }
        Ok(_) => {}
    }
    check_start_condition(node, what, report);
    check_effect(node, what, written, report);
}

/// Checks that the members of the definition that are given have an effect on this kind of node.
fn check_effect(node: &FlowNode, what: &str, written: Vec<(&str, bool)>, report: &mut Report) {
    let has_effect = |member: &str| match node.kind {
        ElementType::IntermediateThrowEvent | ElementType::EndEvent | ElementType::SendTask => true,
        ElementType::IntermediateCatchEvent | ElementType::BoundaryEvent => {
            member == "correlationKey"
        }
        // Of several that have to occur together, the later ones are waited for.
        ElementType::StartEvent => {
            member == "correlationKey" && (node.scope.is_some() || node.parallel_multiple)
        }
        ElementType::ReceiveTask => member == "correlationKey" && !node.instantiate,
        _ => false,
    };
    for (member, _) in written
        .into_iter()
        .filter(|(member, is_there)| *is_there && !has_effect(member))
    {
        let message = format!(
            "expected `{member}` where a {what} is {}, but this is a {}{}; remove it",
            if member == "correlationKey" {
                "sent or waited for"
            } else {
                "sent"
            },
            node.kind.bpmn_name(),
            if node.instantiate {
                " that starts the process"
            } else {
                ""
            }
        );
        report.error(&node.id, "misplaced_message", message);
    }
}

pub(super) fn check_start_condition(node: &FlowNode, what: &str, report: &mut Report) {
    if node.start_condition.is_some() {
        let message = format!(
            "expected a {what} or a start condition on a start event, but it has both; draw a \
            start event for each"
        );
        report.error(&node.id, "several_triggers", message);
    }
}
