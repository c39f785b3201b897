//! Reads a sequence flow.

use roxmltree::Node;

use super::{
    is_bpmn,
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
    if let Some(language) = condition.and_then(|condition| filled(condition.attribute("language")))
        && !language.to_ascii_lowercase().contains("javascript")
    {
        let message =
            format!("expected a condition in JavaScript, but its language is `{language}`; rewrite it and drop `language`");
        reader.error(id, "unsupported_expression", message);
    }
    Some(SequenceFlow {
        id: id.to_owned(),
        name: filled(node.attribute("name")).map(str::to_owned),
        source: plain(node, "sourceRef"),
        target: plain(node, "targetRef"),
        condition: condition.map(text),
    })
}
