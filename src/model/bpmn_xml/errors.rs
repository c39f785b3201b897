//! Reads the definitions of error and escalation events: the code of the `bpmn:error` or
//! `bpmn:escalation` they refer to, and the variables that Camunda 7 and its successors write it
//! to, as mappings.

use roxmltree::Node;
use serde_json::Value;

use super::{
    events,
    index::Index,
    is_bpmn, mappings,
    reader::Reader,
    xml::{CAMUNDA, filled},
};
use crate::model::{
    catch::{ERROR_CODE, ERROR_MESSAGE, ESCALATION_CODE},
    definition::ElementType,
    mapping::Mapping,
    plain_expression,
};

/// The two kinds of events with codes, in BPMN's terms.
#[derive(Clone, Copy)]
pub(super) struct Coded {
    name: &'static str,
    reference: &'static str,
    code: &'static str,
    /// Code of the problem for a reference to a missing element.
    unknown: &'static str,
}

/// Errors.
pub(super) const ERROR: Coded = Coded {
    name: "error",
    reference: "errorRef",
    code: "errorCode",
    unknown: "unknown_error",
};
/// Escalations.
pub(super) const ESCALATION: Coded = Coded {
    name: "escalation",
    reference: "escalationRef",
    code: "escalationCode",
    unknown: "unknown_escalation",
};

/// Attributes of definitions that name a variable, and what is written to it.
const VARIABLES: [(&str, &str); 3] = [
    ("errorCodeVariable", ERROR_CODE),
    ("errorMessageVariable", ERROR_MESSAGE),
    ("escalationCodeVariable", ESCALATION_CODE),
];

/// Whether [`variables`] reads an attribute of this name.
pub(super) fn is_understood(name: &str, namespace: &str) -> bool {
    CAMUNDA.contains(&namespace) && VARIABLES.iter().any(|(known, _)| *known == name)
}

/// Adds the variables that an event writes code and message to, as output mappings of a catching
/// event, and the message of the error that an event throws, as its input mapping.
pub(super) fn variables(
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
    found: &mut mappings::Mappings,
) {
    let of_camunda = |node: Node<'_, '_>, name: &str| {
        let mut namespaces = CAMUNDA.iter();
        let value = namespaces.find_map(|namespace| node.attribute((*namespace, name)));
        filled(value).map(str::to_owned)
    };
    for definition in events::definitions_of(node, reader.index).filter(Node::is_element) {
        let named = VARIABLES.iter().filter(|_| kind.catches_events());
        found
            .outputs
            .extend(named.filter_map(|(attribute, variable)| {
                Some(Mapping {
                    source: format!("${{{variable}}}"),
                    target: of_camunda(definition, attribute)?,
                    if_set: false,
                })
            }));
        let error = filled(definition.attribute(ERROR.reference))
            .filter(|_| kind == ElementType::EndEvent && is_bpmn(definition, events::ERROR))
            .and_then(|reference| beside_process(definition, ERROR, reference, reader.index));
        let Some(message) = error.and_then(|error| of_camunda(error, "errorMessage")) else {
            continue;
        };
        match mappings::camunda_text(&message) {
            Some(text) => found.inputs.push(Mapping {
                source: match &text {
                    Value::String(text) if text.contains("${") => text.clone(),
                    text => text.to_string(),
                },
                target: ERROR_MESSAGE.to_owned(),
                if_set: false,
            }),
            None => {
                let message = format!(
                    "expected an errorMessage of text and paths, but it is `{message}`, which has \
                    no effect here; write `stepwire:input` with the target `{ERROR_MESSAGE}`"
                );
                reader.warning(id, "no_effect", message);
            }
        }
    }
}

/// The element of the document that a definition refers to.
fn beside_process<'a, 'i>(
    definition: Node<'a, 'i>,
    coded: Coded,
    reference: &str,
    index: &Index<'_>,
) -> Option<Node<'a, 'i>> {
    let found = index.beside(definition, reference.rsplit(':').next()?);
    found.filter(|found| is_bpmn(*found, coded.name))
}

/// The code of an event definition. An event that catches may have none: it catches everything of
/// its kind.
pub(super) fn read(
    definition: Node<'_, '_>,
    kind: ElementType,
    coded: Coded,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    reader.check_attributes(definition, id, &["id", coded.reference], &[]);
    reader.refuse_other_children(definition, id, &[]);
    let throws = matches!(
        kind,
        ElementType::EndEvent | ElementType::IntermediateThrowEvent
    );
    match filled(definition.attribute(coded.reference)) {
        Some(reference) => code(definition, reference, coded, throws, id, reader),
        None if throws => {
            let message = format!(
                "expected an {} in the {}, but there is none; name the {} it throws",
                coded.reference,
                kind.bpmn_name(),
                coded.name
            );
            if coded.name == ERROR.name {
                let message =
                    format!("{message}. Without one, what catches every error catches it");
                reader.warning(id, "missing_attribute", message);
            } else {
                if reader.left_open(id, "missing_attribute", message) {
                    return Some(id.to_owned());
                }
            }
            None
        }
        None => None,
    }
}

/// The code of the referenced element of the document. An event that catches an element without a
/// code catches everything of its kind, as the standard says; if there are several such events at
/// one activity or scope, each catches its own element.
fn code(
    definition: Node<'_, '_>,
    reference: &str,
    coded: Coded,
    throws: bool,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let Coded {
        name,
        reference: attribute,
        code: code_attribute,
        ..
    } = coded;
    let local = &*reader.reference(definition, id, attribute, Some(reference));
    let found = beside_process(definition, coded, local, reader.index);
    let code = found.and_then(|found| filled(found.attribute(code_attribute)));
    if let Some(code) = code {
        return Some(fixed(code, code_attribute, id, reader));
    }
    if found.is_some() && !throws && !has_sibling(definition, coded, reader.index) {
        return None;
    }
    let message = match found {
        None => format!(
            "expected {attribute} `{reference}` to name an {name}, but the document has none of \
            this id: `{local}` itself is read as its code; add <bpmn:{name} id=\"{local}\" \
            {code_attribute}=\"…\"/> beside the process"
        ),
        Some(found) => format!(
            "expected {attribute} `{reference}` to name an {name} with an {code_attribute}, but \
            the {name} in line {} has none: its id is read as its code; give it one",
            reader.line(found)
        ),
    };
    reader.warning(id, coded.unknown, message);
    Some(local.to_owned())
}

/// A code as it is written; a FEEL expression may be a text.
fn fixed(written: &str, attribute: &str, id: &str, reader: &mut Reader<'_>) -> String {
    let feel = written.strip_prefix('=').map(str::trim);
    if let Some(text) = feel.and_then(plain_expression::quoted_text) {
        return text.to_owned();
    }
    if feel.is_some() || written.contains("${") || written.contains("#{") {
        let message = format!(
            "expected a fixed {attribute}, but `{written}` is an expression, which is not computed; \
            write the code"
        );
        reader.error(id, "unsupported_expression", message);
    }
    written.to_owned()
}

/// Whether another event at the same activity, or in another event subprocess of the same scope,
/// also catches an element without a code.
fn has_sibling(definition: Node<'_, '_>, coded: Coded, index: &Index<'_>) -> bool {
    let Some(event) = definition.parent() else {
        return false;
    };
    let has_code = |reference: &str| {
        let found = beside_process(definition, coded, reference, index);
        found.is_none_or(|found| filled(found.attribute(coded.code)).is_some())
    };
    let catches_codeless = |event: Node<'_, '_>| {
        event.children().any(|child| {
            child != definition
                && child.tag_name() == definition.tag_name()
                && !filled(child.attribute(coded.reference)).is_some_and(has_code)
        })
    };
    index.any_beside_event(event, catches_codeless)
}
