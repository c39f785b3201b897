//! Reads message and signal event definitions: the name of the referenced element, correlation
//! keys, and data.

use roxmltree::Node;
use serde_json::{Map, Value};

use super::{
    assignments, call_mappings, events, is_bpmn, mappings,
    reader::{Reader, own},
    xml::{self, CAMUNDA, ZEEBE, filled},
};
use crate::model::{
    definition::ElementType, event_definition::EventDefinition, message_event, path::DataPath,
};

/// The message of a `messageEventDefinition`, or of a task with a `messageRef`; `node` is the event
/// or task.
pub(super) fn read_message(
    node: Node<'_, '_>,
    definition: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<EventDefinition> {
    let message = referred(definition, "message", kind, id, reader)?;
    let name = name(message, id, reader)?;
    // Attributes of one of several definitions take precedence over those of their event.
    let attribute = |name| own(definition, name).or_else(|| own(node, name));
    let written = attribute("correlationKey")
        .or_else(|| own(message, "correlationKey"))
        .map(str::to_owned);
    if attribute("businessKey").is_some() {
        let message = "expected a `stepwire:businessKey` where a signal is thrown, but this is a \
            message, and what it starts has none; remove it";
        reader.warning(id, "no_effect", message);
    }
    // For a message that starts the process, the publication says it.
    let starts = match kind {
        // Of several that have to occur together, the later ones are waited for.
        ElementType::StartEvent => {
            let together = node.attribute("parallelMultiple").and_then(xml::boolean);
            together != Some(true) && !events::begins_event_subprocess(node, kind)
        }
        _ => node.attribute("instantiate").and_then(xml::boolean) == Some(true),
    };
    let correlation_key = match written {
        Some(key) => Some(key),
        None => zeebe_key(message, id, reader),
    };
    Some(EventDefinition::Message {
        name,
        correlation_key: correlation_key.filter(|_| !starts),
        data: attribute("data").map(str::to_owned),
        time_to_live: attribute("timeToLive").map(str::to_owned),
    })
}

/// The signal of a `signalEventDefinition`.
pub(super) fn read_signal(
    node: Node<'_, '_>,
    definition: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<EventDefinition> {
    let payload = payload(node, definition, kind, id, reader);
    let signal = referred(definition, "signal", kind, id, reader)?;
    let attribute = |name| own(definition, name).or_else(|| own(node, name));
    let passed = || call_mappings::extensions(definition).find_map(call_mappings::key_of);
    let written = attribute("businessKey").map(str::to_owned);
    Some(EventDefinition::Signal {
        name: name(signal, id, reader)?,
        data: attribute("data").map(str::to_owned).or(payload),
        business_key: written.or_else(|| passed().filter(|_| throws(kind))),
    })
}

fn throws(kind: ElementType) -> bool {
    matches!(
        kind,
        ElementType::IntermediateThrowEvent | ElementType::EndEvent
    )
}

/// The data of a thrown signal in the notation of Camunda 7 and its successors: `in` in its definition.
fn payload(
    node: Node<'_, '_>,
    definition: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let throws = throws(kind);
    let mut data = Value::Object(Map::new());
    let (mut is_any, mut is_all, mut is_complete) = (false, false, throws);
    let mut sends_own = false;
    let is_in = |child: &Node<'_, '_>| {
        let namespace = child.tag_name().namespace().unwrap_or_default();
        child.tag_name().name() == "in" && CAMUNDA.contains(&namespace)
    };
    let is_key = |child: &Node<'_, '_>| call_mappings::key_of(*child).is_some();
    let variables = call_mappings::extensions(definition).filter(is_in);
    for child in variables.filter(|child| !is_key(child)) {
        if let Some(seen) = call_mappings::names_all(child) {
            is_all |= seen;
            sends_own |= !seen;
            continue;
        }
        let mapping = call_mappings::plain(child);
        let target = mapping
            .as_ref()
            .map(|it| DataPath::parse_members(&it.target));
        match (mapping.as_ref(), target) {
            (Some(mapping), Some(Ok(target))) => {
                let constant = serde_json::from_str(&mapping.source);
                let source = constant.unwrap_or_else(|_| Value::from(mapping.source.as_str()));
                target.set(&mut data, source);
                is_any = true;
            }
            _ => is_complete = false,
        }
    }
    // All variables contain those of the event itself.
    if sends_own && !is_all {
        for own in mappings::input_parameters(node) {
            let name = own.first();
            if data.get(name).is_none() {
                data[name] = Value::from(format!("${{{name}}}"));
                is_any = true;
            }
        }
    }
    // All variables leave no room for others.
    if is_complete && !(is_all && is_any) {
        reader.understood.push("in");
    }
    reader.extensions(definition, id, &[]);
    match is_all {
        true => throws.then(|| message_event::ALL.to_owned()),
        false => (throws && is_any).then(|| data.to_string()),
    }
}

/// The `message` or `signal` beside the process to which a definition refers.
fn referred<'a, 'i>(
    definition: Node<'a, 'i>,
    what: &str,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<Node<'a, 'i>> {
    let attribute = format!("{what}Ref");
    let Some(reference) = filled(definition.attribute(attribute.as_str())) else {
        let message = format!(
            "expected a {attribute} in the {}, but there is none; name a {what} of the document",
            kind.bpmn_name()
        );
        match kind {
            // In other engines the application decides on the data of such an event.
            ElementType::IntermediateThrowEvent | ElementType::EndEvent => reader.warning(
                id,
                "nothing_sent",
                format!("{message}. Without one nothing is sent"),
            ),
            _ => drop(reader.left_open(id, "missing_attribute", message)),
        }
        return None;
    };
    let local = reader.reference(definition, id, &attribute, Some(reference));
    let found = reader.index.beside(definition, &local);
    let found = found.filter(|child| is_bpmn(*child, what));
    if found.is_none() {
        let message = format!(
            "expected {attribute} `{reference}` to name a {what}, but the document has none of \
            this id; add <bpmn:{what} id=\"{local}\" name=\"…\"/> beside the process"
        );
        reader.left_open(id, unknown(what), message);
    }
    found
}

fn unknown(what: &str) -> &'static str {
    if what == "message" {
        "unknown_message"
    } else {
        "unknown_signal"
    }
}

/// The name of a message or signal; if it has none, its id is used.
fn name(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Option<String> {
    let written = filled(node.attribute("name")).or_else(|| filled(node.attribute("id")))?;
    match text_of(written) {
        Ok(text) => Some(text),
        Err(sentence) => {
            let message = format!(
                "the name of the {} in line {}: {sentence}",
                node.tag_name().name(),
                reader.line(node)
            );
            reader.error(id, "unsupported_expression", message);
            None
        }
    }
}

/// The correlation key that Camunda 8 has in an extension of the message.
fn zeebe_key(message: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Option<String> {
    let key = message
        .descendants()
        .filter(|child| child.tag_name().namespace() == Some(ZEEBE))
        .filter(|child| child.tag_name().name() == "subscription")
        .find_map(|child| filled(child.attribute("correlationKey")))?;
    match text_of(key) {
        Ok(text) => Some(text),
        Err(sentence) => {
            let message = format!("the zeebe:subscription of the message: {sentence}");
            reader.error(id, "unsupported_expression", message);
            None
        }
    }
}

/// A text with placeholders, from a text that may be a FEEL expression: `= order.id` is
/// `${order.id}`, `= "a"` is `a`.
fn text_of(written: &str) -> Result<String, String> {
    let Some(expression) = written.strip_prefix('=') else {
        let read = assignments::computed_text(written);
        return Ok(read.unwrap_or_else(|| written.replace("#{", "${")));
    };
    assignments::template(&format!("={expression}")).ok_or_else(|| {
        format!(
            "expected the path of a value, a text, or arithmetic and logic of these, but got the \
            expression `{written}`, which is not understood; write a path, such as `=order.id`, or \
            `stepwire:correlationKey`"
        )
    })
}
