//! Reads one process element.

use roxmltree::Node;

use super::{
    BPMN_NAMESPACE, flows, is_bpmn, lanes, nodes,
    reader::{Reader, filled, own, plain, text},
};
use crate::model::{definition::ProcessDefinition, webhook::Webhook};

const ATTRIBUTES: &[&str] = &["id", "name", "isExecutable", "processType", "isClosed", "definitionalCollaborationRef"];
const OWN_ATTRIBUTES: &[&str] = &["alias", "expiry", "actionMessageExpiry", "anonymousStart", "searchKeys"];
/// BPMN elements of a process that mean nothing at run time; its documentation is read besides.
const MEANINGLESS: &[&str] =
    &["documentation", "extensionElements", "textAnnotation", "association", "group", "category", "auditing", "monitoring"];

/// Reads a process as far as it can be read; what cannot be is among the reader's problems.
pub(super) fn read(process: Node<'_, '_>, reader: &mut Reader) -> ProcessDefinition {
    let id = reader.id(process, "").unwrap_or_default();
    reader.check_attributes(process, id, ATTRIBUTES, OWN_ATTRIBUTES);
    let webhooks = reader.extensions(process, id, &["webhook"]).into_iter().map(|node| webhook(node, id, reader)).collect();
    let mut definition = ProcessDefinition {
        id: id.to_owned(),
        name: filled(process.attribute("name")).map(str::to_owned),
        documentation: documentation(process),
        alias: reader.integer(id, "stepwire:alias", own(process, "alias")),
        expiry: own(process, "expiry").map(str::to_owned),
        action_message_expiry: own(process, "actionMessageExpiry").map(str::to_owned),
        anonymous_start: reader.flag(id, "stepwire:anonymousStart", own(process, "anonymousStart"), false),
        webhooks,
        search_keys: reader.list(id, "stepwire:searchKeys", own(process, "searchKeys")).unwrap_or_default(),
        nodes: Vec::new(),
        flows: Vec::new(),
        lanes: Vec::new(),
    };
    for child in process.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if child.tag_name().namespace() != Some(BPMN_NAMESPACE) {
            reader.is_own(child, id, &[]);
        } else if let Some(kind) = nodes::kind(name) {
            definition.nodes.extend(nodes::read(child, kind, id, reader));
        } else {
            match name {
                "sequenceFlow" => definition.flows.extend(flows::read(child, id, reader)),
                "laneSet" => lanes::read(child, id, reader, &mut definition.lanes),
                _ if MEANINGLESS.contains(&name) => {}
                _ => refuse(child, id, reader),
            }
        }
    }
    definition
}

/// Reads a `stepwire:webhook`: `on` is a list of statuses, separated by blanks.
fn webhook(node: Node<'_, '_>, id: &str, reader: &mut Reader) -> Webhook {
    reader.check_attributes(node, id, &["url", "on", "include"], &[]);
    let on = filled(node.attribute("on")).map(|list| list.split_whitespace().map(str::to_owned).collect());
    Webhook { url: plain(node, "url"), on, include: filled(node.attribute("include")).map(str::to_owned) }
}

/// The first documentation that says something.
fn documentation(process: Node<'_, '_>) -> Option<String> {
    process.children().filter(|child| is_bpmn(*child, "documentation")).map(text).find(|text| !text.is_empty())
}

fn refuse(node: Node<'_, '_>, process: &str, reader: &mut Reader) {
    let name = node.tag_name().name();
    let id = filled(node.attribute("id")).unwrap_or(process);
    let supported = nodes::KINDS.iter().map(|kind| kind.bpmn_name()).collect::<Vec<_>>().join(", ");
    let message = format!("expected one of {supported}, but `{id}` is a {name}, which is not supported; model it with those");
    reader.error(id, "unsupported_element", message);
}
