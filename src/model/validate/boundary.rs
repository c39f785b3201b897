//! Boundary events: their activities, and that each failure is caught by one event.
//!
//! Not here: their flows (`graph`), their error codes by themselves (`nodes`).

use std::collections::HashMap;

use super::Report;
use crate::model::{
    action::ActionType,
    definition::{ElementType, FlowNode, ProcessDefinition},
    event_definition::EventDefinition,
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut taken: HashMap<(&str, Catches<'_>), &str> = HashMap::new();
    for event in definition
        .nodes
        .iter()
        .filter(|node| node.kind == ElementType::BoundaryEvent)
    {
        let Some(activity) = event.attached_to.as_deref() else {
            let message = "expected an activity that the boundary event is attached to, but none \
                is named; name one by `attachedToRef` (in JSON `attachedTo`)";
            report.error(&event.id, "missing_attachment", message);
            continue;
        };
        check_attachment(event, activity, nodes.get(activity).copied(), report);
        check_caught(event, activity, &mut taken, report);
    }
}

fn check_attachment(
    event: &FlowNode,
    activity: &str,
    node: Option<&FlowNode>,
    report: &mut Report,
) {
    match node {
        None => {
            let message = format!(
                "expected the boundary event to be attached to an activity of the process, but \
                    `{activity}` is not one; attach it to one"
            );
            report.error(&event.id, "unknown_node", message);
        }
        Some(node) if node.triggered_by_event => {
            let message = format!(
                "expected the boundary event to be attached to an activity that tokens reach, \
                    but `{activity}` is an event subprocess; attach it to the subprocess around it"
            );
            report.error(&event.id, "no_activity", message);
        }
        Some(node) if !node.kind.is_activity() => {
            let message = format!(
                "expected the boundary event to be attached to an activity, but `{activity}` \
                    is a {}; attach it to one",
                node.kind.bpmn_name()
            );
            report.error(&event.id, "no_activity", message);
        }
        Some(node) if is_never_triggered(event, node) => {
            let message = format!(
                "expected the boundary event to be attached to a call activity, a subprocess, \
                    or a task with a startSubprocess of async=\"false\" or, for an error, with a \
                    script, but nothing in `{activity}` can throw that, so the event never occurs; \
                    attach it to one of these"
            );
            report.warning(&event.id, "nothing_to_catch", message);
        }
        Some(_) => {}
    }
}

/// Checks that the event is the only one of its activity that catches its errors and escalations.
fn check_caught<'a>(
    event: &'a FlowNode,
    activity: &'a str,
    taken: &mut HashMap<(&'a str, Catches<'a>), &'a str>,
    report: &mut Report,
) {
    for caught in catches(event) {
        let Some(other) = taken.insert((activity, caught), &event.id) else {
            continue;
        };
        if *other == *event.id {
            // Reported with the check of several definitions.
            continue;
        }
        let what = match caught {
            Catches::Error(None) => "every failure".to_owned(),
            Catches::Error(Some(code)) => format!("error `{code}`"),
            Catches::Escalation(None) => "every escalation".to_owned(),
            Catches::Escalation(Some(code)) => format!("escalation `{code}`"),
        };
        let message = format!(
            "expected one boundary event of `{activity}` to catch {what}, but `{other}` and \
                this one do; remove one"
        );
        report.error(&event.id, "ambiguous_boundary", message);
    }
}

/// An error or escalation that a boundary event catches; without a code, every one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Catches<'a> {
    Error(Option<&'a str>),
    Escalation(Option<&'a str>),
}

/// Whether an event only waits for something that nothing in its activity throws.
fn is_never_triggered(event: &FlowNode, node: &FlowNode) -> bool {
    let never = catches(event).filter(|caught| !may_throw(node, *caught));
    let never = never.count();
    never > 0 && (never == event.events.len() || event.parallel_multiple)
}

fn catches(event: &FlowNode) -> impl Iterator<Item = Catches<'_>> {
    event.events.iter().filter_map(|event| match event {
        EventDefinition::Error { code } => Some(Catches::Error(code.as_deref())),
        EventDefinition::Escalation { code } => Some(Catches::Escalation(code.as_deref())),
        EventDefinition::Timer { .. }
        | EventDefinition::Conditional { .. }
        | EventDefinition::Message { .. }
        | EventDefinition::Signal { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => None,
    })
}

/// Whether something in an activity can throw an error or an escalation.
fn may_throw(node: &FlowNode, caught: Catches<'_>) -> bool {
    let is_error = matches!(caught, Catches::Error(_));
    matches!(
        node.kind,
        ElementType::CallActivity
            | ElementType::SubProcess
            | ElementType::Transaction
            | ElementType::AdHocSubProcess
    ) || is_error && node.kind == ElementType::ScriptTask
        || node.actions.iter().any(|action| match action.work {
            ActionType::StartSubprocess { asynchronous, .. } => !asynchronous,
            ActionType::BusinessRule { .. } => is_error,
            _ => false,
        })
        || node.looping.as_ref().is_some_and(|looping| {
            let thrown = looping.thrown();
            thrown.into_iter().any(|event| reaches(event, caught))
        })
}

/// Whether an event that the iterations of an activity throw is one that is caught.
fn reaches(thrown: &EventDefinition, caught: Catches<'_>) -> bool {
    let (EventDefinition::Escalation { code }, Catches::Escalation(caught)) = (thrown, caught)
    else {
        return false;
    };
    caught.is_none_or(|caught| code.as_deref() == Some(caught))
}
