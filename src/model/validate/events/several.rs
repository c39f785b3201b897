//! Events with several definitions: which can be combined, and where.
//!
//! Not here: each definition by itself ([`super`]).

use std::collections::HashSet;

use crate::{
    limits,
    model::{
        definition::{ElementType, FlowNode},
        event_definition::EventDefinition,
        validate::Report,
    },
};

pub(super) fn check(node: &FlowNode, begins: bool, report: &mut Report) {
    let kind = node.kind.bpmn_name();
    if node.parallel_multiple && !node.kind.catches_events() {
        let message = format!(
            "expected `parallelMultiple` on events that are waited for only, but this is a {kind}; \
            remove it"
        );
        report.error(&node.id, "misplaced_parallel_multiple", message);
    }
    let timers = node
        .schedule
        .as_ref()
        .map_or(0, |schedule| schedule.when.len());
    let count = node.events.len() + timers;
    if count < 2 {
        return;
    }
    if count > limits::EVENT_DEFINITIONS {
        let message = format!(
            "expected at most {} event definitions of one event, but there are {count}; draw more \
            events",
            limits::EVENT_DEFINITIONS
        );
        report.error(&node.id, "too_many_event_definitions", message);
    }
    if let Some(sentence) = unfit(node, begins) {
        let message = format!("expected event definitions that can be combined, but {sentence}");
        report.error(&node.id, "several_event_definitions", message);
    }
}

/// Why several definitions of a node cannot be combined, and what to do.
fn unfit(node: &FlowNode, begins: bool) -> Option<String> {
    let is_any = |is: fn(&EventDefinition) -> bool| node.events.iter().find(|event| is(event));
    let catches = node.kind.catches_events();
    if !node.kind.is_event() {
        let kind = node.kind.bpmn_name();
        return Some(format!(
            "this is a {kind}, which has one; draw an event for each"
        ));
    }
    if is_any(|event| matches!(event, EventDefinition::Link { .. })).is_some() {
        return Some("one is a link, which is a flow; draw an event for it".to_owned());
    }
    if catches && node.is_compensation() {
        let sentence = "one is compensation, which is not waited for but undoes what is completed; \
            draw an event for it";
        return Some(sentence.to_owned());
    }
    if catches && let Some(twice) = twice(&node.events) {
        return Some(format!(
            "two are the same {}, of which one would never come; remove one",
            twice.bpmn_name()
        ));
    }
    if !catches && node.events.iter().filter(|event| ends_scope(event)).count() > 1 {
        let sentence = "two of them end what is around the event (error, cancel, terminate), of \
            which only the first could be thrown; keep one";
        return Some(sentence.to_owned());
    }
    if !node.parallel_multiple {
        return None;
    }
    if let Some(thrown) = is_any(ends_scope) {
        return Some(format!(
            "with parallelMultiple each has to come, and after the {} nothing else comes, as that \
            ends what the event waits in; draw an event for it",
            thrown.bpmn_name()
        ));
    }
    let starts = node.kind == ElementType::StartEvent && !begins;
    let is_message = |event: &EventDefinition| matches!(event, EventDefinition::Message { .. });
    if starts && (node.schedule.is_some() || !node.events.iter().all(is_message)) {
        let sentence = "at the start of a process parallelMultiple needs messages, which find the \
            instance that waits for them; a timer or signal would start another each time: draw a \
            start event for it";
        return Some(sentence.to_owned());
    }
    None
}

/// Whether it ends its scope, or the activity that an event is attached to.
fn ends_scope(event: &EventDefinition) -> bool {
    match event {
        EventDefinition::Error { .. } | EventDefinition::Cancel | EventDefinition::Terminate => {
            true
        }
        EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Conditional { .. }
        | EventDefinition::Timer { .. }
        | EventDefinition::Message { .. }
        | EventDefinition::Signal { .. } => false,
    }
}

/// A definition for which another one waits in the same way.
fn twice(events: &[EventDefinition]) -> Option<&EventDefinition> {
    let mut seen = HashSet::new();
    events.iter().find(|event| !seen.insert(waited_for(event)))
}

/// The event of a definition: two definitions with the same value are one.
fn waited_for(event: &EventDefinition) -> (&'static str, String) {
    let what = match event {
        EventDefinition::Error { code } | EventDefinition::Escalation { code } => {
            code.clone().unwrap_or_default()
        }
        EventDefinition::Link { name } | EventDefinition::Signal { name, .. } => name.clone(),
        EventDefinition::Conditional { condition } => condition.trim().to_owned(),
        EventDefinition::Timer { when, time_zone } => format!("{when:?} {time_zone:?}"),
        EventDefinition::Message {
            name,
            correlation_key,
            ..
        } => format!("{name} {correlation_key:?}"),
        EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => String::new(),
    };
    (event.bpmn_name(), what)
}
