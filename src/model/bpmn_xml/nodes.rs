//! Reads a flow node: its attributes, its actions and keys, what it calls.

use roxmltree::Node;

use super::{
    actions, errors, multi_instance,
    reader::{Reader, filled, own, plain},
    schedules,
};
use crate::model::{
    definition::{CallActivity, FlowNode, NodeKind},
    task_terms::UserTask,
};

/// The element kinds that run.
pub(super) const KINDS: [NodeKind; 10] = [
    NodeKind::StartEvent,
    NodeKind::EndEvent,
    NodeKind::BoundaryEvent,
    NodeKind::Task,
    NodeKind::UserTask,
    NodeKind::ServiceTask,
    NodeKind::SendTask,
    NodeKind::ExclusiveGateway,
    NodeKind::ParallelGateway,
    NodeKind::CallActivity,
];

const EVENT_ATTRIBUTES: &[&str] = &["id", "name", "isInterrupting", "parallelMultiple"];
const START_ATTRIBUTES: &[&str] = &["canGoBack", "startCondition", "onStartup", "timeZone", "missed", "overlap"];
const BOUNDARY_ATTRIBUTES: &[&str] = &["id", "name", "attachedToRef", "cancelActivity", "parallelMultiple"];
const GATEWAY_ATTRIBUTES: &[&str] = &["id", "name", "default", "gatewayDirection"];
const TASK_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "implementation",
    "messageRef",
    "operationRef",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
const CALL_ATTRIBUTES: &[&str] =
    &["id", "name", "default", "calledElement", "isForCompensation", "startQuantity", "completionQuantity"];

/// The kind with this BPMN tag name.
pub(super) fn kind(tag: &str) -> Option<NodeKind> {
    KINDS.into_iter().find(|kind| kind.bpmn_name() == tag)
}

pub(super) fn read(node: Node<'_, '_>, kind: NodeKind, process: &str, reader: &mut Reader) -> Option<FlowNode> {
    let id = reader.id(node, process)?;
    let (plain, own_names): (&[&str], &[&str]) = match kind {
        NodeKind::StartEvent => (EVENT_ATTRIBUTES, START_ATTRIBUTES),
        NodeKind::EndEvent => (EVENT_ATTRIBUTES, &["canGoBack"]),
        NodeKind::BoundaryEvent => (BOUNDARY_ATTRIBUTES, &["canGoBack"]),
        NodeKind::ExclusiveGateway | NodeKind::ParallelGateway => (GATEWAY_ATTRIBUTES, &["canGoBack"]),
        NodeKind::CallActivity => {
            (CALL_ATTRIBUTES, &["canGoBack", "paramsToCopy", "withoutParams", "outputKey", "output", "collection"])
        }
        NodeKind::UserTask => {
            (TASK_ATTRIBUTES, &["canGoBack", "assignee", "dueDate", "reminder", "reminderRepeat", "decisionKey"])
        }
        NodeKind::Task | NodeKind::ServiceTask | NodeKind::SendTask => (TASK_ATTRIBUTES, &["canGoBack"]),
    };
    reader.check_attributes(node, id, plain, own_names);
    let content: &[&str] = match kind {
        NodeKind::StartEvent => &[schedules::DEFINITION],
        NodeKind::EndEvent | NodeKind::BoundaryEvent => &[errors::DEFINITION],
        NodeKind::CallActivity => &[multi_instance::CHARACTERISTICS],
        _ => &[],
    };
    reader.refuse_other_children(node, id, content);
    refuse_attributes(node, id, reader);

    let mut read = FlowNode {
        id: id.to_owned(),
        name: filled(node.attribute("name")).map(str::to_owned),
        kind,
        can_go_back: reader.flag(id, "stepwire:canGoBack", own(node, "canGoBack"), true),
        start_condition: own(node, "startCondition").filter(|_| kind == NodeKind::StartEvent).map(str::to_owned),
        schedule: schedules::read(node, kind, id, reader),
        keys: Vec::new(),
        actions: Vec::new(),
        default_flow: filled(node.attribute("default")).map(str::to_owned),
        call: (kind == NodeKind::CallActivity).then(|| read_call(node, id, reader)),
        task: (kind == NodeKind::UserTask).then(|| read_task(node)).filter(|task| *task != UserTask::default()),
        attached_to: filled(node.attribute("attachedToRef")).filter(|_| kind == NodeKind::BoundaryEvent).map(str::to_owned),
        error_code: errors::read(node, kind, id, reader),
    };
    let extensions: &[&str] =
        if read.schedule.is_some() { &["actions", "key", schedules::START_DATA] } else { &["actions", "key"] };
    for extension in reader.extensions(node, id, extensions) {
        match (extension.tag_name().name(), &mut read.schedule) {
            (schedules::START_DATA, Some(schedule)) => schedule.start_data = schedules::read_start_data(extension, id, reader),
            ("key", _) => read.keys.push(actions::read_key(extension, id, reader)),
            _ => read.actions.extend(actions::read_all(extension, id, reader)),
        }
    }
    Some(read)
}

/// Reports attributes that would change how the node runs.
fn refuse_attributes(node: Node<'_, '_>, id: &str, reader: &mut Reader) {
    for (name, harmless) in [("isForCompensation", "false"), ("startQuantity", "1"), ("completionQuantity", "1")] {
        if let Some(value) = filled(node.attribute(name)).filter(|value| *value != harmless) {
            let message = format!("expected `{name}` to be `{harmless}`, but got `{value}`, which is not supported; remove it");
            reader.error(id, "unsupported_attribute", message);
        }
    }
}

fn read_task(node: Node<'_, '_>) -> UserTask {
    let text = |name| own(node, name).map(str::to_owned);
    UserTask {
        assignee: text("assignee"),
        due_date: text("dueDate"),
        reminder: text("reminder"),
        reminder_repeat: text("reminderRepeat"),
        decision_key: text("decisionKey"),
    }
}

fn read_call(node: Node<'_, '_>, id: &str, reader: &mut Reader) -> CallActivity {
    CallActivity {
        called_element: plain(node, "calledElement"),
        params_to_copy: reader.list(id, "stepwire:paramsToCopy", own(node, "paramsToCopy")),
        without_params: reader.list(id, "stepwire:withoutParams", own(node, "withoutParams")).unwrap_or_default(),
        output_key: own(node, "outputKey").map(str::to_owned),
        output: own(node, "output").map(str::to_owned),
        collection: multi_instance::read(node, id, reader),
    }
}
