//! Reads a flow node: its attributes, its actions and keys, what it calls.

use roxmltree::Node;

use super::{
    actions, errors, multi_instance,
    reader::{Reader, own},
    schedules,
    xml::filled,
};
use crate::model::{
    definition::{CallActivity, FlowNode, NodeKind},
    task_settings::UserTask,
};

const EVENT_ATTRIBUTES: &[&str] = &["id", "name", "isInterrupting", "parallelMultiple"];
const START_ATTRIBUTES: &[&str] = &[
    "canGoBack",
    "startCondition",
    "onStartup",
    "timeZone",
    "missed",
    "overlap",
];
const BOUNDARY_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "attachedToRef",
    "cancelActivity",
    "parallelMultiple",
];
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
/// Attributes of tasks that name what BPMN's services and messages are, of which there are none
/// here.
const NO_EFFECT: &[&str] = &["implementation", "messageRef", "operationRef"];
const CALL_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "calledElement",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];

/// The kind with this BPMN tag name.
pub(super) fn kind(tag: &str) -> Option<NodeKind> {
    NodeKind::ALL
        .into_iter()
        .find(|kind| kind.bpmn_name() == tag)
}

pub(super) fn read(node: Node<'_, '_>, kind: NodeKind, reader: &mut Reader<'_>) -> FlowNode {
    let id = &*reader.id(node);
    let (plain, own_names): (&[&str], &[&str]) = match kind {
        NodeKind::StartEvent => (EVENT_ATTRIBUTES, START_ATTRIBUTES),
        NodeKind::EndEvent => (EVENT_ATTRIBUTES, &["canGoBack"]),
        NodeKind::BoundaryEvent => (BOUNDARY_ATTRIBUTES, &["canGoBack"]),
        NodeKind::ExclusiveGateway | NodeKind::ParallelGateway => {
            (GATEWAY_ATTRIBUTES, &["canGoBack"])
        }
        NodeKind::CallActivity => (
            CALL_ATTRIBUTES,
            &[
                "canGoBack",
                "paramsToCopy",
                "withoutParams",
                "outputKey",
                "output",
                "collection",
            ],
        ),
        NodeKind::UserTask => (
            TASK_ATTRIBUTES,
            &[
                "canGoBack",
                "assignee",
                "dueDate",
                "reminder",
                "reminderRepeat",
                "decisionKey",
            ],
        ),
        NodeKind::Task | NodeKind::ServiceTask | NodeKind::SendTask => {
            (TASK_ATTRIBUTES, &["canGoBack"])
        }
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

    let mut reference = |name: &str| {
        Some(reader.reference(node, id, name, node.attribute(name))).filter(|id| !id.is_empty())
    };
    let default_flow = reference("default");
    let attached_to = if kind == NodeKind::BoundaryEvent {
        reference("attachedToRef")
    } else {
        None
    };
    let mut read = FlowNode {
        id: id.to_owned(),
        name: filled(node.attribute("name")).map(str::to_owned),
        kind,
        can_go_back: reader.own_flag(node, id, "canGoBack", true),
        start_condition: own(node, "startCondition")
            .filter(|_| kind == NodeKind::StartEvent)
            .map(str::to_owned),
        schedule: schedules::read(node, kind, id, reader),
        keys: Vec::new(),
        actions: Vec::new(),
        default_flow,
        call: (kind == NodeKind::CallActivity).then(|| read_call(node, id, reader)),
        task: (kind == NodeKind::UserTask)
            .then(|| read_task(node))
            .filter(|task| *task != UserTask::default()),
        attached_to,
        error_code: errors::read(node, kind, id, reader),
    };
    let extensions: &[&str] = if read.schedule.is_some() {
        &["actions", "key", schedules::START_DATA]
    } else {
        &["actions", "key"]
    };
    let extensions = reader.extensions(node, id, extensions);
    for name in ["actions", schedules::START_DATA] {
        reader.only(
            id,
            "duplicate_extension",
            extensions
                .iter()
                .copied()
                .filter(|found| found.tag_name().name() == name),
        );
    }
    for extension in extensions {
        match (extension.tag_name().name(), &mut read.schedule) {
            (schedules::START_DATA, Some(schedule)) => {
                schedule.start_data = schedules::read_start_data(extension, id, reader)
            }
            ("key", _) => read.keys.push(actions::read_key(extension, id, reader)),
            _ => read
                .actions
                .extend(actions::read_all(extension, id, reader)),
        }
    }
    read
}

/// Reports attributes that would change how the node runs, and notes those that change nothing.
fn refuse_attributes(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) {
    let name = "isForCompensation";
    if reader.flag(id, name, node.attribute(name), false) {
        let message = "expected an activity of the normal flow, but isForCompensation is true, \
            which is not supported; remove it";
        reader.error(id, "unsupported_attribute", message);
    }
    for name in ["startQuantity", "completionQuantity"] {
        if let Some(value) = reader
            .integer(id, name, node.attribute(name))
            .filter(|value| *value != 1)
        {
            let message = format!(
                "expected `{name}` to be 1, but got {value}, which is not supported; remove it"
            );
            reader.error(id, "unsupported_attribute", message);
        }
    }
    for name in NO_EFFECT {
        if filled(node.attribute(*name)).is_some_and(|value| value != "##unspecified") {
            reader.without_effect.bpmn(id, name);
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

fn read_call(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> CallActivity {
    CallActivity {
        called_element: reader.reference(
            node,
            id,
            "calledElement",
            node.attribute("calledElement"),
        ),
        params_to_copy: reader.list(id, "stepwire:paramsToCopy", own(node, "paramsToCopy")),
        without_params: reader
            .list(id, "stepwire:withoutParams", own(node, "withoutParams"))
            .unwrap_or_default(),
        output_key: own(node, "outputKey").map(str::to_owned),
        output: own(node, "output").map(str::to_owned),
        collection: multi_instance::read(node, id, reader),
    }
}
