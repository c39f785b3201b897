//! Reads a sequence flow.

use roxmltree::Node;

use super::{
    is_bpmn, languages,
    reader::{Reader, filled, plain, text},
};
use crate::model::definition::SequenceFlow;

const ATTRIBUTES: &[&str] = &["id", "name", "sourceRef", "targetRef", "isImmediate"];

pub(super) fn read(node: Node<'_, '_>, process: &str, reader: &mut Reader) -> Option<SequenceFlow> {
    let id = reader.id(node, process)?;
    reader.check_attributes(node, id, ATTRIBUTES, &[]);
    reader.extensions(node, id, &[]);
    reader.refuse_other_children(node, id, &["conditionExpression"]);
    let condition = node.children().find(|child| is_bpmn(*child, "conditionExpression"));
    if let Some(condition) = condition {
        languages::check(condition, id, reader);
    }
    Some(SequenceFlow {
        id: id.to_owned(),
        name: filled(node.attribute("name")).map(str::to_owned),
        source: plain(node, "sourceRef"),
        target: plain(node, "targetRef"),
        condition: condition.map(text),
    })
}
