//! Reads a sequence flow.

use std::collections::HashSet;

use roxmltree::Node;

use super::{
    is_bpmn, languages,
    reader::Reader,
    xml::{boolean, filled, text},
};
use crate::model::definition::SequenceFlow;

const ATTRIBUTES: &[&str] = &["id", "name", "sourceRef", "targetRef", "isImmediate"];

/// Reads a flow of the process; `defaults` are those whose condition is not evaluated.
pub(super) fn read(
    node: Node<'_, '_>,
    process: &str,
    defaults: &HashSet<&str>,
    reader: &mut Reader<'_>,
) -> SequenceFlow {
    let end = |name| node.attribute(name);
    let (source, target) = (end("sourceRef"), end("targetRef"));
    let written = filled(node.attribute("id")).unwrap_or(process);
    let source = reader.reference(node, written, "sourceRef", source);
    let target = reader.reference(node, written, "targetRef", target);
    let id = &*reader.flow_id(node, &source, &target);
    reader.check_attributes(node, id, ATTRIBUTES, &[]);
    if node.attribute("isImmediate").and_then(boolean) == Some(false) {
        reader.without_effect.bpmn(id, "isImmediate");
    }
    reader.extensions(node, id, &[]);
    reader.refuse_other_children(node, id, &["conditionExpression"]);
    let conditions = node
        .children()
        .filter(|child| is_bpmn(*child, "conditionExpression"));
    let condition = reader.only(id, "duplicate_condition", conditions);
    let condition = condition.map(|condition| {
        if defaults.contains(id) {
            text(condition)
        } else {
            languages::read(condition, id, reader)
        }
    });
    SequenceFlow {
        id: id.to_owned(),
        name: filled(node.attribute("name")).map(str::to_owned),
        source,
        target,
        condition,
    }
}
