//! Reads a flow node: its attributes, its actions and keys, its called process.

use roxmltree::Node;

use self::mappings::{INPUT, OUTPUT};
use super::{
    actions, ad_hoc, assignments, call_mappings, errors, events, is_bpmn, languages, loops,
    mappings, node_attributes,
    reader::{Reader, own},
    schedules,
    xml::{CAMUNDA, filled, text},
};
use crate::model::{
    action::{Action, ActionType, Required, Trigger, orders},
    definition::{CallActivity, ElementType, EventGatewayType, FlowNode},
    task_settings::UserTask,
};

/// Attributes of tasks that refer to BPMN's services and messages, which have no effect here.
const NO_EFFECT: &[&str] = &["implementation", "messageRef", "operationRef"];
/// The element with the script of a script task; also the name of the action that it becomes.
const SCRIPT: &str = "script";

/// The element with the activation condition of a complex gateway.
const ACTIVATION_CONDITION: &str = "activationCondition";

/// The kind with this BPMN tag name.
pub(super) fn kind(tag: &str) -> Option<ElementType> {
    ElementType::ALL
        .into_iter()
        .find(|kind| kind.bpmn_name() == tag)
}

/// Whether an element is a flow node of BPMN, including kinds that do not run here.
pub(super) fn is_flow_node(node: Node<'_, '_>) -> bool {
    let name = node.tag_name().name();
    let is_kind = name.ends_with("Event")
        || name.ends_with("Task")
        || name.ends_with("Gateway")
        || name.ends_with("SubProcess")
        || ["task", "subProcess", "transaction", "callActivity"].contains(&name);
    is_kind && is_bpmn(node, name)
}

/// Reads a node of the process, or of the embedded subprocess `scope`.
pub(super) fn read(
    node: Node<'_, '_>,
    kind: ElementType,
    scope: Option<&str>,
    reader: &mut Reader<'_>,
) -> FlowNode {
    let id = &*reader.id(node);
    let begins = events::begins_event_subprocess(node, kind);
    let (plain, own_names) = node_attributes::known(kind, begins);
    let task = (kind == ElementType::UserTask).then(|| read_task(node, id, reader));
    let of_loops: &[&str] = if kind.is_activity() {
        &loops::ATTRIBUTES
    } else {
        &[]
    };
    reader.check_attributes(node, id, plain, &[own_names, of_loops].concat());
    refuse_children(node, kind, begins, id, reader);
    refuse_attributes(node, id, reader);

    let mut reference = |name: &str| {
        let written = node.attribute(name).filter(|_| plain.contains(&name));
        Some(reader.reference(node, id, name, written)).filter(|id| !id.is_empty())
    };
    let flag = |name: &str, default: bool, reader: &mut Reader<'_>| {
        reader.flag(id, name, node.attribute(name), default)
    };
    let (default_flow, attached_to) = (reference("default"), reference("attachedToRef"));
    let mut read = FlowNode {
        id: id.to_owned(),
        name: filled(node.attribute("name")).map(str::to_owned),
        scope: scope.map(str::to_owned),
        kind,
        can_go_back: reader.own_flag(node, id, "canGoBack", true),
        start_condition: own(node, "startCondition")
            .filter(|_| kind == ElementType::StartEvent)
            .map(str::to_owned),
        schedule: (!begins)
            .then(|| schedules::read(node, kind, id, reader))
            .flatten(),
        keys: Vec::new(),
        actions: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        default_flow,
        call: (kind == ElementType::CallActivity).then(|| read_call(node, id, reader)),
        start_quantity: quantity("startQuantity", node, kind, id, reader),
        completion_quantity: quantity("completionQuantity", node, kind, id, reader),
        looping: loops::read(node, kind, id, reader),
        task: task.filter(|task| *task != UserTask::default()),
        attached_to,
        events: events::read(node, kind, id, reader),
        parallel_multiple: kind.catches_events() && flag("parallelMultiple", false, reader),
        ad_hoc: ad_hoc::read(node, kind, id, reader),
        // Its association is read with the process, by `compensation`.
        compensation_handler: None,
        for_compensation: flag("isForCompensation", false, reader),
        triggered_by_event: kind == ElementType::SubProcess
            && flag("triggeredByEvent", false, reader),
        interrupting: match kind {
            ElementType::BoundaryEvent => flag("cancelActivity", true, reader),
            _ if begins => flag("isInterrupting", true, reader),
            _ => true,
        },
        activation_condition: (kind == ElementType::ComplexGateway)
            .then(|| read_activation_condition(node, id, reader))
            .flatten(),
        instantiate: plain.contains(&"instantiate") && flag("instantiate", false, reader),
        event_gateway_type: read_event_gateway_type(node, kind, id, reader),
    };
    read_extensions(node, &mut read, reader);
    if kind == ElementType::ScriptTask {
        read.actions
            .extend(read_script(node, &read.actions, reader));
    }
    reader.understood.clear();
    if calls_nothing(&read) {
        reader.without_effect.calls_nothing(id);
    }
    read
}

fn read_event_gateway_type(
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> EventGatewayType {
    let words = [
        ("Exclusive", EventGatewayType::Exclusive),
        ("Parallel", EventGatewayType::Parallel),
    ];
    let name = "eventGatewayType";
    let written = node
        .attribute(name)
        .filter(|_| kind == ElementType::EventBasedGateway);
    reader.word(id, name, written, &words, EventGatewayType::default())
}

/// Reports the children that a node of this kind may not have. The contents of a subprocess are read
/// with it, by `process`.
fn refuse_children(
    node: Node<'_, '_>,
    kind: ElementType,
    begins: bool,
    id: &str,
    reader: &mut Reader<'_>,
) {
    if !kind.is_scope() {
        let content: &[&str] = match kind {
            ElementType::StartEvent if !begins => &[
                events::TIMER,
                events::MESSAGE,
                events::SIGNAL,
                events::CONDITIONAL,
            ],
            ElementType::ScriptTask => &[SCRIPT],
            ElementType::ComplexGateway => &[ACTIVATION_CONDITION],
            _ => events::definitions(kind, begins),
        };
        let of_loops: &[&str] = if kind.is_activity() {
            &loops::CHARACTERISTICS
        } else {
            &[]
        };
        let of_events: &[&str] = if kind.is_event() {
            &[events::REFERENCE]
        } else {
            &[]
        };
        reader.refuse_other_children(node, id, &[content, of_loops, of_events].concat());
    }
}

/// Reads the actions, keys, mappings and start data of a node.
fn read_extensions(node: Node<'_, '_>, read: &mut FlowNode, reader: &mut Reader<'_>) {
    let (id, kind) = (&*read.id.clone(), read.kind);
    let extensions: &[&str] = if read.schedule.is_some() {
        &["actions", "key", INPUT, OUTPUT, schedules::START_DATA]
    } else {
        &["actions", "key", INPUT, OUTPUT]
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
            (INPUT, _) => read.inputs.push(mappings::read_own(extension, id, reader)),
            (OUTPUT, _) => read.outputs.push(mappings::read_own(extension, id, reader)),
            ("key", _) => read.keys.push(actions::read_key(extension, id, reader)),
            _ => read
                .actions
                .extend(actions::read_all(extension, id, reader)),
        }
    }
    let mut others = mappings::read_others(node, id, reader);
    errors::variables(node, kind, id, reader, &mut others);
    if let (Some(call), Some(passed)) = (&mut read.call, call_mappings::passed(node)) {
        // The other variables of the call remain its own.
        let names = others.inputs.iter().map(|mapping| mapping.target.clone());
        let own = names.filter(|name| !passed.contains(name) && !name.contains('.'));
        call.without_params.extend(own);
    }
    read.inputs.extend(others.inputs);
    read.outputs.extend(others.outputs);
}

/// How many tokens begin or leave an activity; `validate` reports invalid numbers.
fn quantity(
    name: &str,
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> u32 {
    if !kind.is_activity() {
        return 1;
    }
    let written = reader.integer(id, name, node.attribute(name));
    written.map_or(1, |number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

fn read_activation_condition(
    node: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let found = node.children();
    let found = found.filter(|child| is_bpmn(*child, ACTIVATION_CONDITION));
    let condition = reader.only(id, "duplicate_condition", found)?;
    Some(languages::read(condition, id, reader)).filter(|text| !text.is_empty())
}

/// Whether a task that makes a call in other engines has no effect here.
fn calls_nothing(node: &FlowNode) -> bool {
    let by_call = matches!(
        node.kind,
        ElementType::ServiceTask | ElementType::BusinessRuleTask | ElementType::SendTask
    );
    by_call && node.actions.is_empty() && node.events.is_empty()
}

/// The script of a script task, as an action that runs before the others.
fn read_script(node: Node<'_, '_>, others: &[Action], reader: &mut Reader<'_>) -> Option<Action> {
    let id = node.attribute("id").unwrap_or_default();
    let scripts = node.children().filter(|child| is_bpmn(*child, SCRIPT));
    let Some(script) = reader.only(id, "duplicate_script", scripts) else {
        if others.is_empty() {
            let message = "expected a script in the script task, but there is none; write one, \
                or make it a task";
            reader.warning(id, "no_script", message);
        }
        return None;
    };
    let first = orders(others).into_iter().min().unwrap_or(1);
    Some(Action {
        name: SCRIPT.to_owned(),
        order: Some(first.saturating_sub(1)),
        work: ActionType::BusinessRule {
            script: text(script),
            // A global task has another attribute for it.
            language: filled(node.attribute("scriptFormat"))
                .or_else(|| filled(node.attribute("scriptLanguage")))
                .map_or_else(|| "javascript".to_owned(), str::to_owned),
        },
        timer: None,
        trigger: Trigger::Automatic,
        required: Required::Mandatory,
        repeatable: false,
        autorun_children: false,
        parent: None,
        allow_back: false,
        restart_from_snapshot: false,
        restart_keys: Vec::new(),
        holds_token: true,
        keys: Vec::new(),
        strict_keys: false,
    })
}

/// Reports attributes that would change how the node runs, and records those without effect.
fn refuse_attributes(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) {
    // Compensation is the only way of undoing here.
    if filled(node.attribute("method")).is_some_and(|method| method != "##Compensate") {
        reader.without_effect.bpmn(id, "method");
    }
    let has_message = [ElementType::SendTask, ElementType::ReceiveTask]
        .iter()
        .any(|kind| is_bpmn(node, kind.bpmn_name()));
    let has_effect = |name| name == "messageRef" && has_message;
    for name in NO_EFFECT.iter().filter(|name| !has_effect(**name)) {
        if filled(node.attribute(*name)).is_some_and(|value| value != "##unspecified") {
            reader.without_effect.bpmn(id, name);
        }
    }
}

fn read_task(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> UserTask {
    let text = |name| own(node, name).map(str::to_owned);
    let mut task = UserTask {
        assignee: text("assignee"),
        due_date: text("dueDate"),
        reminder: text("reminder"),
        reminder_repeat: text("reminderRepeat"),
        decision_key: text("decisionKey"),
        candidate_groups: own(node, "candidateGroups")
            .map(|names| names.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
    };
    reader.understood = assignments::read(node, id, &mut task, reader);
    task
}

/// The id of the called process, or a text with placeholders.
fn read_called_element(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> String {
    let name = "calledElement";
    match filled(node.attribute(name)) {
        Some(text) if text.contains("${") || text.contains("#{") => {
            assignments::computed_text(text).unwrap_or_else(|| text.replace("#{", "${"))
        }
        Some(process) => reader.reference(node, id, name, Some(process)),
        None => match (call_mappings::called_element(node), called_case(node)) {
            (Some(text), _) if text.contains("${") => text,
            (None, Some(case)) => {
                let message = format!(
                    "expected the id of the called process as `{name}`, but `caseRef` names the \
                    CMMN case `{case}`, and cases are not run here; draw the case as a process \
                    with an ad-hoc subprocess, and call that"
                );
                reader.left_open(id, "missing_called_element", message);
                case.to_owned()
            }
            (process, _) => reader.reference(node, id, name, process.as_deref()),
        },
    }
}

/// The CMMN case that other engines call instead of a process.
fn called_case<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let mut namespaces = CAMUNDA.iter();
    namespaces.find_map(|namespace| filled(node.attribute((*namespace, "caseRef"))))
}

fn read_call(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> CallActivity {
    CallActivity {
        called_element: read_called_element(node, id, reader),
        params_to_copy: reader
            .list(id, "stepwire:paramsToCopy", own(node, "paramsToCopy"))
            .or_else(|| call_mappings::names_all_it_passes(node).then(Vec::new)),
        without_params: reader
            .list(id, "stepwire:withoutParams", own(node, "withoutParams"))
            .unwrap_or_default(),
        business_key: own(node, "businessKey")
            .map(str::to_owned)
            .or_else(|| call_mappings::business_key(node)),
        output_key: own(node, "outputKey").map(str::to_owned),
        output: own(node, "output").map(str::to_owned),
    }
}
