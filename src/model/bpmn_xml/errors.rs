//! Reads error event definitions: the code of the `bpmn:error` they refer to.

use roxmltree::Node;

use super::{is_bpmn, reader::Reader, xml::filled};
use crate::model::definition::ElementType;

/// The code of an `errorEventDefinition`. That of a boundary event may have none: it catches every
/// failure.
pub(super) fn read(
    definition: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    reader.check_attributes(definition, id, &["id", "errorRef"], &[]);
    reader.refuse_other_children(definition, id, &[]);
    match filled(definition.attribute("errorRef")) {
        Some(reference) => code(definition, reference, id, reader),
        None if kind == ElementType::EndEvent => {
            let message = "expected an errorRef in the error end event, but there is none; name \
                the error it ends with";
            reader.error(id, "missing_attribute", message);
            None
        }
        None => None,
    }
}

/// The error code of the `bpmn:error` with this id.
fn code(
    definition: Node<'_, '_>,
    reference: &str,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let local = &*reader.reference(definition, id, "errorRef", Some(reference));
    let root = definition.document().root_element();
    let error = root
        .children()
        .find(|child| is_bpmn(*child, "error") && filled(child.attribute("id")) == Some(local));
    let code = error.and_then(|error| filled(error.attribute("errorCode")));
    if code.is_none() {
        let message = match error {
            None => format!(
                "expected errorRef `{reference}` to name an error, but the document has none of \
                this id; add <bpmn:error id=\"{local}\" errorCode=\"…\"/> beside the process"
            ),
            Some(error) => format!(
                "expected errorRef `{reference}` to name an error with an errorCode, but the \
                error in line {} has none; give it one",
                reader.line(error)
            ),
        };
        reader.error(id, "unknown_error", message);
    }
    code.map(str::to_owned)
}
