//! Reads the definitions of events, thrown and awaited.
//!
//! Not here: the timers of a process's start events, which are schedules (`schedules`).

use roxmltree::Node;

use super::{
    errors,
    index::Index,
    is_bpmn, languages, messages,
    reader::{Purpose, Reader, own},
    schedules,
    xml::{filled, text},
};
use crate::model::{
    definition::ElementType,
    event_definition::{EventDefinition, TimerValue},
    schedule::When,
};

/// The element that makes an event a timer event.
pub(super) const TIMER: &str = "timerEventDefinition";
/// The element that makes an event a conditional event.
pub(super) const CONDITIONAL: &str = "conditionalEventDefinition";
/// The element that makes an event an error event.
pub(super) const ERROR: &str = "errorEventDefinition";
/// The element that makes an event an escalation event.
pub(super) const ESCALATION: &str = "escalationEventDefinition";
/// The element that makes an event a link event.
const LINK: &str = "linkEventDefinition";
/// The element that makes an event a compensation event.
const COMPENSATE: &str = "compensateEventDefinition";
/// The element that makes an event a cancel event.
const CANCEL: &str = "cancelEventDefinition";
/// The element that makes an end event a terminate end event.
const TERMINATE: &str = "terminateEventDefinition";

/// The element that makes an event a message event.
pub(super) const MESSAGE: &str = "messageEventDefinition";
/// The element that makes an event a signal event.
pub(super) const SIGNAL: &str = "signalEventDefinition";

/// The element of a conditional event's condition.
const CONDITION: &str = "condition";

/// Names of the event definitions that an element of this type may contain; `begins` says whether
/// it is the start event of an event subprocess.
pub(super) fn definitions(kind: ElementType, begins: bool) -> &'static [&'static str] {
    match kind {
        ElementType::StartEvent if begins => &[
            CONDITIONAL,
            ERROR,
            ESCALATION,
            TIMER,
            MESSAGE,
            SIGNAL,
            COMPENSATE,
        ],
        ElementType::StartEvent => &[MESSAGE, SIGNAL, CONDITIONAL],
        ElementType::IntermediateThrowEvent => &[MESSAGE, SIGNAL, ESCALATION, LINK, COMPENSATE],
        ElementType::EndEvent => &[
            ERROR, ESCALATION, TERMINATE, MESSAGE, SIGNAL, COMPENSATE, CANCEL,
        ],
        ElementType::IntermediateCatchEvent => &[CONDITIONAL, TIMER, MESSAGE, SIGNAL, LINK],
        ElementType::BoundaryEvent => &[
            CONDITIONAL,
            ERROR,
            ESCALATION,
            TIMER,
            MESSAGE,
            SIGNAL,
            COMPENSATE,
            CANCEL,
        ],
        ElementType::Task
        | ElementType::ManualTask
        | ElementType::UserTask
        | ElementType::ServiceTask
        | ElementType::SendTask
        | ElementType::ReceiveTask
        | ElementType::ScriptTask
        | ElementType::BusinessRuleTask
        | ElementType::ExclusiveGateway
        | ElementType::InclusiveGateway
        | ElementType::ParallelGateway
        | ElementType::ComplexGateway
        | ElementType::EventBasedGateway
        | ElementType::CallActivity
        | ElementType::SubProcess
        | ElementType::Transaction
        | ElementType::AdHocSubProcess => &[],
    }
}

/// The child of an event that refers to a definition beside the process.
pub(super) const REFERENCE: &str = "eventDefinitionRef";

/// The definitions of an event: those in it, and those beside the process that it refers to.
pub(super) fn definitions_of<'a, 'i>(
    node: Node<'a, 'i>,
    index: &Index<'_>,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter_map(move |child| {
        if is_bpmn(child, REFERENCE) {
            named(child, index)
        } else {
            Some(child)
        }
    })
}

/// The definition beside the process that is referenced.
fn named<'a, 'i>(reference: Node<'a, 'i>, index: &Index<'_>) -> Option<Node<'a, 'i>> {
    beside_process(reference, &text(reference), index)
}

/// The event definition beside the process that has this id, which may have a prefix.
pub(super) fn beside_process<'a, 'i>(
    anywhere: Node<'a, 'i>,
    written: &str,
    index: &Index<'_>,
) -> Option<Node<'a, 'i>> {
    let found = index.beside(anywhere, written.rsplit(':').next()?);
    found.filter(|found| found.tag_name().name().ends_with("EventDefinition"))
}

/// Reports references of an event to something that is no definition beside the process, or one
/// that it may not have.
fn check_references(node: Node<'_, '_>, known: &[&str], id: &str, reader: &mut Reader<'_>) {
    for child in node.children().filter(|child| is_bpmn(*child, REFERENCE)) {
        let (written, found) = (text(child), named(child, reader.index));
        let found = match found.map(|found| found.tag_name().name()) {
            Some(name) if known.contains(&name) => continue,
            Some(name) => format!("it is a {name}"),
            None => "the document has none of this id beside its processes".to_owned(),
        };
        let message = format!(
            "expected {REFERENCE} `{written}` to name one of {}, but {found}; correct it",
            known.join(", ")
        );
        reader.error(id, "unknown_event_definition", message);
    }
}

/// The definitions of an event in document order; empty for a none event, and for reported
/// mistakes.
pub(super) fn read(
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Vec<EventDefinition> {
    let has_message = filled(node.attribute("messageRef")).is_some();
    match kind {
        ElementType::SendTask | ElementType::ReceiveTask if has_message => {
            let message = messages::read_message(node, node, kind, id, reader);
            let waits = kind == ElementType::ReceiveTask;
            return message
                .or_else(|| placeholder(waits, id, reader))
                .into_iter()
                .collect();
        }
        ElementType::ReceiveTask if reader.purpose() == Purpose::ControlFlow => {
            return vec![unnamed(id)];
        }
        ElementType::ReceiveTask => {
            let message = "expected a messageRef in the receive task, but there is none: it waits for \
                its mandatory manual actions, without any action for `complete`; name a message";
            reader.warning(id, "no_message", message);
        }
        _ => {}
    }
    let known = definitions(kind, begins_event_subprocess(node, kind));
    if known.is_empty() {
        return Vec::new();
    }
    let starts = kind == ElementType::StartEvent && !begins_event_subprocess(node, kind);
    let with_timer = starts.then_some(TIMER);
    let all: Vec<&str> = known.iter().copied().chain(with_timer).collect();
    check_references(node, &all, id, reader);
    let found = definitions_of(node, reader.index);
    let found = found.filter(|child| known.iter().any(|name| is_bpmn(*child, name)));
    let found: Vec<Node<'_, '_>> = found.collect();
    if found.is_empty() {
        // Another definition is reported by the check of allowed definitions.
        let waits = begins_event_subprocess(node, kind)
            || matches!(
                kind,
                ElementType::IntermediateCatchEvent | ElementType::BoundaryEvent
            );
        if waits && !node.children().any(names_event) {
            let message = format!(
                "expected one of {} in the {}, but it holds no event definition; add one (in the designer, choose its kind by the wrench)",
                known.join(", "),
                kind.bpmn_name()
            );
            if reader.left_open(id, "missing_event_definition", message) {
                return vec![unnamed(id)];
            }
        }
    }
    let waits = matches!(
        kind,
        ElementType::StartEvent | ElementType::IntermediateCatchEvent | ElementType::BoundaryEvent
    );
    let all = found.into_iter();
    all.filter_map(|definition| {
        let is_named = [MESSAGE, SIGNAL].contains(&definition.tag_name().name());
        let read = read_one(node, definition, kind, id, reader);
        read.or_else(|| placeholder(is_named && waits, id, reader))
    })
    .collect()
}

/// Replaces a message or signal without a name, when only the control flow is read.
fn placeholder(waits: bool, id: &str, reader: &Reader<'_>) -> Option<EventDefinition> {
    (waits && reader.purpose() == Purpose::ControlFlow).then(|| unnamed(id))
}

/// A message with the name of the event itself.
fn unnamed(id: &str) -> EventDefinition {
    EventDefinition::Message {
        name: id.to_owned(),
        correlation_key: None,
        data: None,
        time_to_live: None,
    }
}

/// One definition of an event; `None` if it is reported.
fn read_one(
    node: Node<'_, '_>,
    definition: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<EventDefinition> {
    match definition.tag_name().name() {
        ERROR => Some(EventDefinition::Error {
            code: errors::read(definition, kind, errors::ERROR, id, reader),
        }),
        ESCALATION => Some(EventDefinition::Escalation {
            code: errors::read(definition, kind, errors::ESCALATION, id, reader),
        }),
        LINK => link(node, definition, id, reader),
        COMPENSATE => Some(compensation(definition, kind, id, reader)),
        CANCEL => {
            reader.check_attributes(definition, id, &["id"], &[]);
            reader.refuse_other_children(definition, id, &[]);
            Some(EventDefinition::Cancel)
        }
        TIMER => timer(node, definition, id, reader),
        CONDITIONAL => Some(conditional(definition, id, reader)),
        MESSAGE => {
            check_reference(definition, "messageRef", id, reader);
            messages::read_message(node, definition, kind, id, reader)
        }
        SIGNAL => {
            check_reference(definition, "signalRef", id, reader);
            messages::read_signal(node, definition, kind, id, reader)
        }
        _ => {
            reader.check_attributes(definition, id, &["id"], &[]);
            reader.refuse_other_children(definition, id, &[]);
            Some(EventDefinition::Terminate)
        }
    }
}

fn compensation(
    definition: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> EventDefinition {
    let (activity, wait) = ("activityRef", "waitForCompletion");
    reader.check_attributes(definition, id, &["id", activity, wait], &[]);
    reader.refuse_other_children(definition, id, &[]);
    let named = reader.reference(definition, id, activity, definition.attribute(activity));
    let waits = reader.flag(id, wait, definition.attribute(wait), true);
    let is_thrown = matches!(
        kind,
        ElementType::IntermediateThrowEvent | ElementType::EndEvent
    );
    if !waits && !is_thrown {
        reader.without_effect.bpmn(id, wait);
    }
    EventDefinition::Compensation {
        activity: Some(named).filter(|named| !named.is_empty()),
        wait_for_completion: waits || !is_thrown,
    }
}

/// Whether a node is the start event of an event subprocess.
pub(super) fn begins_event_subprocess(node: Node<'_, '_>, kind: ElementType) -> bool {
    kind == ElementType::StartEvent
        && node.parent().is_some_and(|parent| {
            let flag = parent.attribute("triggeredByEvent").map(str::trim);
            is_bpmn(parent, ElementType::SubProcess.bpmn_name())
                && matches!(flag, Some("true" | "1"))
        })
}

/// The condition of a conditional event.
fn conditional(definition: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> EventDefinition {
    reader.check_attributes(definition, id, &["id"], &[]);
    reader.refuse_other_children(definition, id, &[CONDITION]);
    let found = definition
        .children()
        .filter(|child| is_bpmn(*child, CONDITION));
    let condition = reader.only(id, "duplicate_condition", found);
    EventDefinition::Conditional {
        condition: condition
            .map(|condition| languages::read(condition, id, reader))
            .unwrap_or_default(),
    }
}

/// The name of a link pairs its events; `source` and `target` of BPMN only repeat that.
fn link(
    node: Node<'_, '_>,
    definition: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<EventDefinition> {
    reader.check_attributes(definition, id, &["id", "name"], &[]);
    reader.refuse_other_children(definition, id, &["source", "target"]);
    let name = filled(definition.attribute("name"));
    let of_event = filled(node.attribute("name")).filter(|_| name.is_none());
    if name.is_none() {
        let message = "expected a name of the link, which pairs its throw and catch events, but \
            there is none; add one to the linkEventDefinition";
        match of_event {
            Some(of_event) => {
                let message = format!("{message}. The name of the event is taken, `{of_event}`");
                reader.warning(id, "missing_attribute", message);
            }
            None => reader.error(id, "missing_attribute", message),
        }
    }
    Some(EventDefinition::Link {
        name: name.or(of_event)?.to_owned(),
    })
}

fn timer(
    node: Node<'_, '_>,
    definition: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<EventDefinition> {
    let when = match schedules::read_timer(definition, id, reader)? {
        When::Cycle(text) => TimerValue::Cycle(text),
        When::Date(text) => TimerValue::Date(text),
        When::Duration(text) => TimerValue::Duration(text),
        When::Startup => return None,
    };
    Some(EventDefinition::Timer {
        when,
        time_zone: own(definition, "timeZone")
            .or_else(|| own(node, "timeZone"))
            .map(str::to_owned),
    })
}

fn check_reference(definition: Node<'_, '_>, name: &str, id: &str, reader: &mut Reader<'_>) {
    let own_names = ["correlationKey", "data", "timeToLive"];
    reader.check_attributes(definition, id, &["id", name], &own_names);
    reader.refuse_other_children(definition, id, &["operationRef"]);
}

/// Whether an element determines the kind of event of its parent.
fn names_event(node: Node<'_, '_>) -> bool {
    let name = node.tag_name().name();
    name.ends_with("EventDefinition") || name == "eventDefinitionRef"
}
