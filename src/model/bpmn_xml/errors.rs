//! Reads the definitions of error and escalation events: the code of the `bpmn:error` or
//! `bpmn:escalation` they refer to.

use roxmltree::Node;

use super::{is_bpmn, reader::Reader, xml::filled};
use crate::model::definition::ElementType;

/// What is thrown under a code, in the words of BPMN.
#[derive(Clone, Copy)]
pub(super) struct Coded {
    name: &'static str,
    reference: &'static str,
    code: &'static str,
    /// Code of the problem with a reference that names none.
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

/// The code of an event definition. What catches may have none: it catches everything of its kind.
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
        Some(reference) => code(definition, reference, coded, id, reader),
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
                reader.error(id, "missing_attribute", message);
            }
            None
        }
        None => None,
    }
}

/// The code of the element of the document with this id.
fn code(
    definition: Node<'_, '_>,
    reference: &str,
    coded: Coded,
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
    let root = definition.document().root_element();
    let found = root
        .children()
        .find(|child| is_bpmn(*child, name) && filled(child.attribute("id")) == Some(local));
    let code = found.and_then(|found| filled(found.attribute(code_attribute)));
    if let Some(code) = code {
        return Some(code.to_owned());
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
