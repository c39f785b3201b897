//! Reads the global tasks of a document: tasks beside its processes, which call activities call.
//! Each becomes a process with only that task, with the id of the task.
//!
//! Not here: the contents of a task (`nodes`).

use roxmltree::Node;

use super::{BPMN_NAMESPACE, nodes, process, reader::Reader, xml::filled};
use crate::model::definition::{ElementType, ProcessDefinition};

/// The kind of task of a global task with this name.
pub(super) fn kind(name: &str) -> Option<ElementType> {
    Some(match name {
        "globalTask" => ElementType::Task,
        "globalUserTask" => ElementType::UserTask,
        "globalManualTask" => ElementType::ManualTask,
        "globalScriptTask" => ElementType::ScriptTask,
        "globalBusinessRuleTask" => ElementType::BusinessRuleTask,
        _ => return None,
    })
}

/// The global tasks of a document, in its order.
pub(super) fn of<'a, 'i>(root: Node<'a, 'i>) -> Vec<(Node<'a, 'i>, ElementType)> {
    let children = root
        .children()
        .filter(|child| child.is_element() && child.tag_name().namespace() == Some(BPMN_NAMESPACE));
    children
        .filter_map(|child| Some((child, kind(child.tag_name().name())?)))
        .collect()
}

/// Reads a global task as far as possible; faults are among the reader's problems.
pub(super) fn read(
    task: Node<'_, '_>,
    kind: ElementType,
    reader: &mut Reader<'_>,
) -> ProcessDefinition {
    let id = filled(task.attribute("id")).unwrap_or_default();
    if id.is_empty() {
        let message = format!(
            "expected an id, by which the task is called, but the {} in line {} has none; add \
            id=\"…\"",
            task.tag_name().name(),
            reader.line(task)
        );
        reader.error("", "missing_attribute", message);
    }
    let node = nodes::read(task, kind, None, reader);
    let definition = ProcessDefinition {
        id: id.to_owned(),
        name: node.name.clone(),
        documentation: process::documentation(task),
        alias: None,
        expiry: None,
        action_message_expiry: None,
        anonymous_start: false,
        webhooks: Vec::new(),
        search_keys: Vec::new(),
        data_objects: Vec::new(),
        nodes: vec![node],
        flows: Vec::new(),
        lanes: Vec::new(),
    };
    let without_effect = std::mem::take(&mut reader.without_effect);
    reader.problems.extend(without_effect.warnings());
    definition
}
