//! Reads the error events: error end events and interrupting error boundary events, with the code of the `bpmn:error` they
//! refer to.

use roxmltree::Node;

use super::{
    is_bpmn,
    reader::{Reader, filled},
};
use crate::model::definition::NodeKind;

/// The element that makes an event an error event.
pub(super) const DEFINITION: &str = "errorEventDefinition";

/// The error code of an event. A boundary event without `errorRef` has none and catches every failure.
pub(super) fn read(node: Node<'_, '_>, kind: NodeKind, id: &str, reader: &mut Reader) -> Option<String> {
    if !matches!(kind, NodeKind::EndEvent | NodeKind::BoundaryEvent) {
        return None;
    }
    if kind == NodeKind::BoundaryEvent && !reader.flag(id, "cancelActivity", node.attribute("cancelActivity"), true) {
        let message =
            "expected an interrupting boundary event, but cancelActivity is `false`, which an error cannot be; remove it";
        reader.error(id, "unsupported_attribute", message);
    }
    let mut definitions = node.children().filter(|child| is_bpmn(*child, DEFINITION));
    let Some(definition) = definitions.next() else {
        // A boundary event of another kind is reported by what it holds.
        if kind == NodeKind::BoundaryEvent && !node.children().any(|child| child.tag_name().name().ends_with("EventDefinition")) {
            let message = "expected an errorEventDefinition in the boundary event, but there is none; no other kind is supported";
            reader.error(id, "unsupported_element", message);
        }
        return None;
    };
    if definitions.next().is_some() {
        let message = "expected one errorEventDefinition in the event, but there are several; remove all but one";
        reader.error(id, "unsupported_element", message);
    }
    reader.check_attributes(definition, id, &["id", "errorRef"], &[]);
    reader.refuse_other_children(definition, id, &[]);
    match filled(definition.attribute("errorRef")) {
        Some(reference) => code(definition, reference, id, reader),
        None if kind == NodeKind::EndEvent => {
            let message = "expected an errorRef in the error end event, but there is none; name the error it ends with";
            reader.error(id, "missing_attribute", message);
            None
        }
        None => None,
    }
}

/// The error code of the `bpmn:error` with this id.
fn code(definition: Node<'_, '_>, reference: &str, id: &str, reader: &mut Reader) -> Option<String> {
    // A reference is a qualified name: tools write it with or without a prefix.
    let local = reference.rsplit(':').next().unwrap_or(reference);
    let root = definition.document().root_element();
    let error = root.children().find(|child| is_bpmn(*child, "error") && child.attribute("id") == Some(local));
    let code = error.and_then(|error| filled(error.attribute("errorCode")));
    if code.is_none() {
        let what = if error.is_none() { "the document has no such error" } else { "that error has no errorCode" };
        let message = format!(
            "expected errorRef `{reference}` to name an error with an errorCode, but {what}; add <bpmn:error id=\"{local}\" \
             errorCode=\"…\"/> beside the process"
        );
        reader.error(id, "unknown_error", message);
    }
    code.map(str::to_owned)
}
