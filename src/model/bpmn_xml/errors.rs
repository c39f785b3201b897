//! Reads the error events: error end events and interrupting error boundary events, with the code
//! of the `bpmn:error` they refer to.

use roxmltree::Node;

use super::{is_bpmn, reader::Reader, xml::filled};
use crate::model::definition::NodeKind;

/// The element that makes an event an error event.
pub(super) const DEFINITION: &str = "errorEventDefinition";

/// The error code of an event. A boundary event without `errorRef` has none and catches every
/// failure.
pub(super) fn read(
    node: Node<'_, '_>,
    kind: NodeKind,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    if !matches!(kind, NodeKind::EndEvent | NodeKind::BoundaryEvent) {
        return None;
    }
    let is_boundary = kind == NodeKind::BoundaryEvent;
    let interrupts =
        !is_boundary || reader.flag(id, "cancelActivity", node.attribute("cancelActivity"), true);
    let definitions = node.children().filter(|child| is_bpmn(*child, DEFINITION));
    let Some(definition) = reader.only(id, "unsupported_element", definitions) else {
        // A boundary event of another kind is reported by what it holds.
        if is_boundary
            && !node
                .children()
                .any(|child| names_event(child.tag_name().name()))
        {
            let message = "expected an errorEventDefinition in the boundary event, but it holds \
                no event definition; add one";
            reader.error(id, "unsupported_element", message);
        }
        return None;
    };
    if !interrupts {
        let message = "expected an error boundary event to interrupt its activity, but \
            cancelActivity is false, which an error cannot be; remove the attribute";
        reader.error(id, "unsupported_attribute", message);
    }
    reader.check_attributes(definition, id, &["id", "errorRef"], &[]);
    reader.refuse_other_children(definition, id, &[]);
    match filled(definition.attribute("errorRef")) {
        Some(reference) => code(definition, reference, id, reader),
        None if kind == NodeKind::EndEvent => {
            let message = "expected an errorRef in the error end event, but there is none; name \
                the error it ends with";
            reader.error(id, "missing_attribute", message);
            None
        }
        None => None,
    }
}

/// Whether an element says what kind of event its parent is.
fn names_event(name: &str) -> bool {
    name.ends_with("EventDefinition") || name == "eventDefinitionRef"
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
