//! Events beside each other that wait for the same message or signal: a message goes to one of
//! them, and of a signal the later ones learn nothing once the first one has interrupted.
//!
//! Not here: errors and escalations (`boundary`, `event_subprocesses`), several definitions of one
//! event (`events`).

use std::collections::HashMap;

use super::{Report, event_subprocesses::EventSubprocesses};
use crate::model::{
    definition::{ElementType, FlowNode, ProcessDefinition},
    event_definition::EventDefinition,
};

/// Where events wait together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place<'a> {
    Boundary(&'a str),
    Gateway(&'a str),
    Scope(Option<&'a str>),
}

/// Name and correlation key of a message, or the name of a signal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Awaited<'a> {
    Message(&'a str, Option<&'a str>),
    Signal(&'a str),
}

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let event_subprocesses = EventSubprocesses::of(definition);
    let by_id: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let behind: HashMap<&str, &str> = definition
        .flows
        .iter()
        .filter(|flow| by_id.get(&*flow.source).is_some_and(|it| chooses(it)))
        .map(|flow| (flow.target.as_str(), flow.source.as_str()))
        .collect();
    let place = |node: &FlowNode| -> Option<Place<'_>> {
        let id = node.id.as_str();
        if let Some(gateway) = behind.get(id) {
            return Some(Place::Gateway(gateway));
        }
        if event_subprocesses.is_begun_by(node) {
            let around = by_id.get(node.scope.as_deref()?)?.scope.as_deref();
            return Some(Place::Scope(around));
        }
        let activity = by_id.get(node.attached_to.as_deref()?)?;
        Some(Place::Boundary(&activity.id))
    };
    let mut first: HashMap<(Place<'_>, Awaited<'_>), &FlowNode> = HashMap::new();
    for node in &definition.nodes {
        // An event that occurs by several definitions together takes each for itself.
        let Some(place) = place(node).filter(|_| !node.parallel_multiple) else {
            continue;
        };
        for awaited in node.events.iter().filter_map(awaited) {
            let other = *first.entry((place, awaited)).or_insert(node);
            let interrupts = matches!(place, Place::Gateway(_)) || other.interrupting;
            let matters = interrupts || matches!(awaited, Awaited::Message(..));
            if other.id != node.id && matters {
                report.warning(&node.id, "same_event", message(awaited, &other.id));
            }
        }
    }
}

/// Whether one of the events behind a node occurs. (The messages behind a gateway that starts the
/// process are different, see `instantiation`.)
fn chooses(node: &FlowNode) -> bool {
    node.kind == ElementType::EventBasedGateway && !node.instantiate
}

fn awaited(event: &EventDefinition) -> Option<Awaited<'_>> {
    match event {
        EventDefinition::Message {
            name,
            correlation_key,
            ..
        } => Some(Awaited::Message(name, correlation_key.as_deref())),
        EventDefinition::Signal { name, .. } => Some(Awaited::Signal(name)),
        EventDefinition::Error { .. }
        | EventDefinition::Conditional { .. }
        | EventDefinition::Timer { .. }
        | EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => None,
    }
}

fn message(awaited: Awaited<'_>, other: &str) -> String {
    match awaited {
        Awaited::Message(name, _) => format!(
            "expected one event to wait here for the message `{name}`, but `{other}` and this one \
            do, and a message goes to one of them; remove one, or give it another message"
        ),
        Awaited::Signal(name) => format!(
            "expected one event to wait here for the signal `{name}`, but `{other}` does and ends \
            the wait of this one; remove one, or give it another signal"
        ),
    }
}
