//! Reads one process element.

use std::collections::HashSet;

use roxmltree::Node;

use super::{
    BPMN_NAMESPACE, STEPWIRE_NAMESPACE, ad_hoc, compensation, data_objects, flow_order, flows,
    gateway_direction, is_bpmn, lanes,
    loop_counters::Counted,
    loops, nodes,
    reader::{Reader, WITHOUT_EFFECT, own, plain},
    xml::{filled, text},
};
use crate::model::{
    definition::{ElementType, ProcessDefinition},
    webhook::Webhook,
};

const ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "isExecutable",
    "processType",
    "isClosed",
    "definitionalCollaborationRef",
];
const OWN_ATTRIBUTES: &[&str] = &[
    "alias",
    "expiry",
    "actionMessageExpiry",
    "anonymousStart",
    "searchKeys",
];
/// BPMN elements of a process without meaning at run time; its documentation is read elsewhere.
const MEANINGLESS: &[&str] = &[
    "documentation",
    "extensionElements",
    "textAnnotation",
    "association",
    "group",
    "category",
    "auditing",
    "monitoring",
];

/// BPMN elements of a process that declare stores or subscribers, without effect here.
const DATA: &[&str] = &["dataStoreReference", "correlationSubscription", "supports"];

/// Reads a process as far as possible; faults are among the reader's problems.
pub(super) fn read(process: Node<'_, '_>, reader: &mut Reader<'_>) -> ProcessDefinition {
    let id = filled(process.attribute("id")).unwrap_or_default();
    if id.is_empty() {
        let message = format!(
            "expected an id, by which the process is started, but the process in line {} has \
            none; add id=\"…\"",
            reader.line(process)
        );
        reader.error("", "missing_attribute", message);
    }
    reader.check_attributes(process, id, ATTRIBUTES, OWN_ATTRIBUTES);
    let webhooks = reader
        .extensions(process, id, &["webhook"])
        .into_iter()
        .map(|node| webhook(node, id, reader))
        .collect();
    let mut definition = ProcessDefinition {
        id: id.to_owned(),
        name: filled(process.attribute("name")).map(str::to_owned),
        documentation: documentation(process),
        alias: reader.integer(
            id,
            "stepwire:alias",
            process.attribute((STEPWIRE_NAMESPACE, "alias")),
        ),
        expiry: own(process, "expiry").map(str::to_owned),
        action_message_expiry: own(process, "actionMessageExpiry").map(str::to_owned),
        anonymous_start: reader.own_flag(process, id, "anonymousStart", false),
        webhooks,
        search_keys: reader
            .list(id, "stepwire:searchKeys", own(process, "searchKeys"))
            .unwrap_or_default(),
        data_objects: Vec::new(),
        nodes: Vec::new(),
        flows: Vec::new(),
        lanes: Vec::new(),
    };
    reader.variables = data_objects::variables(process);
    reader.counted = Counted::of(process);
    read_content(process, None, reader, &mut definition);
    flow_order::apply(process, &mut definition, reader);
    gateway_direction::check(process, &definition, reader);
    compensation::connect(process, &mut definition, reader);
    data_objects::read_references(process, &mut definition.data_objects, reader);
    let without_effect = std::mem::take(&mut reader.without_effect);
    reader.problems.extend(without_effect.warnings());
    definition
}

/// Reads the contents of a process, or of the embedded subprocess `scope`. The recursion is as deep
/// as the document, whose depth is limited.
fn read_content(
    container: Node<'_, '_>,
    scope: Option<&str>,
    reader: &mut Reader<'_>,
    definition: &mut ProcessDefinition,
) {
    let id = scope.unwrap_or(&definition.id).to_owned();
    let defaults = defaults(container);
    for child in container.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if child.tag_name().namespace() != Some(BPMN_NAMESPACE) {
            reader.note_foreign(child, &id);
        } else if let Some(kind) = nodes::kind(name) {
            let node = nodes::read(child, kind, scope, reader);
            let inner = node.id.clone();
            definition.nodes.push(node);
            if kind.is_scope() {
                read_content(child, Some(&inner), reader, definition);
            }
        } else {
            match name {
                "sequenceFlow" => definition
                    .flows
                    .push(flows::read(child, &id, &defaults, reader)),
                data_objects::OBJECT => {
                    let object = data_objects::read(child, scope, reader);
                    definition.data_objects.push(object);
                }
                data_objects::REFERENCE => {}
                "ioSpecification" | "dataInputAssociation" | "dataOutputAssociation"
                    if scope.is_some() => {}
                "ioSpecification" => reader.without_effect.bpmn(&id, name),
                "laneSet" => lanes::read(child, None, reader, &mut definition.lanes),
                "incoming" | "outgoing" if scope.is_some() => {}
                // Read with the subprocess itself.
                name if scope.is_some() && loops::CHARACTERISTICS.contains(&name) => {}
                ad_hoc::CONDITION if ad_hoc::is_one(container) => {}
                _ if MEANINGLESS.contains(&name) => {}
                _ if WITHOUT_EFFECT.contains(&name) || DATA.contains(&name) => {
                    reader
                        .without_effect
                        .bpmn(filled(child.attribute("id")).unwrap_or(&id), name);
                }
                _ => refuse(child, &id, reader),
            }
        }
    }
}

/// Ids of the flows that a node names as its default.
fn defaults<'a>(process: Node<'a, '_>) -> HashSet<&'a str> {
    process
        .children()
        .filter(|child| nodes::is_flow_node(*child))
        .filter_map(|node| filled(node.attribute("default")))
        .map(|name| name.rsplit(':').next().unwrap_or(name))
        .collect()
}

/// Reads a `stepwire:webhook`: `on` is a list of statuses, separated by blanks.
fn webhook(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Webhook {
    reader.check_attributes(node, id, &["url", "on", "include"], &[]);
    let on = filled(node.attribute("on"))
        .map(|list| list.split_whitespace().map(str::to_owned).collect());
    Webhook {
        url: plain(node, "url"),
        on,
        include: filled(node.attribute("include")).map(str::to_owned),
    }
}

/// The first documentation that is not empty.
pub(super) fn documentation(process: Node<'_, '_>) -> Option<String> {
    process
        .children()
        .filter(|child| is_bpmn(*child, "documentation"))
        .map(text)
        .find(|text| !text.is_empty())
}

fn refuse(node: Node<'_, '_>, process: &str, reader: &mut Reader<'_>) {
    let name = node.tag_name().name();
    let id = filled(node.attribute("id"));
    let supported = ElementType::ALL
        .iter()
        .map(|kind| kind.bpmn_name())
        .collect::<Vec<_>>()
        .join(", ");
    let written = id.map_or_else(String::new, |id| format!(" (`{id}`)"));
    let message = format!(
        "expected one of {supported}, but line {} has a node of kind {name}{written}, which is \
        not supported; model it with those",
        reader.line(node)
    );
    reader.error(id.unwrap_or(process), "unsupported_element", message);
}
