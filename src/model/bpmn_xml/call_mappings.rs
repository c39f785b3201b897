//! Reads the called process and the data passed by call activities of other engines: `in` and `out`
//! of Camunda 7, its successors, Flowable and Activiti, and Zeebe's `calledElement`.
//!
//! What is not a plain mapping (all variables of the called process, a business key) is named in a
//! warning, like everything without effect. Stepwire's own attributes: `nodes`.

use roxmltree::Node;

use super::{
    is_bpmn,
    mappings::{Mappings, camunda_text},
    xml::{LIKE_ACTIVITI, ZEEBE, filled},
};
use crate::model::{mapping::Mapping, path::DataPath};

/// The meaning of one element.
enum Crossing {
    /// The called process gets every variable, as without any `in`.
    All,
    /// It gets a value.
    In(Mapping),
    /// It returns a value.
    Out(Mapping),
}

/// Whether [`read`] or [`called_element`] understands this extension element.
pub(super) fn is_read(child: Node<'_, '_>) -> bool {
    crossing(child).is_some() || process_id(child).is_some()
}

/// Adds the mappings of a call activity.
pub(super) fn read(node: Node<'_, '_>, found: &mut Mappings) {
    for crossing in extensions(node).filter_map(crossing) {
        match crossing {
            Crossing::All => {}
            Crossing::In(mapping) => found.inputs.push(mapping),
            Crossing::Out(mapping) => found.outputs.push(mapping),
        }
    }
}

/// Whether the called process gets only the data that the call names.
pub(super) fn names_all_it_passes(node: Node<'_, '_>) -> bool {
    let mut names_some = false;
    for crossing in extensions(node).filter_map(crossing) {
        match crossing {
            Crossing::All => return false,
            Crossing::In(_) => names_some = true,
            Crossing::Out(_) => {}
        }
    }
    names_some
}

/// The called process in Zeebe's notation.
pub(super) fn called_element<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    extensions(node).find_map(process_id)
}

fn extensions<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let holders = node.children();
    holders
        .filter(|child| is_bpmn(*child, "extensionElements"))
        .flat_map(|holder| holder.children())
        .filter(Node::is_element)
}

fn process_id<'a>(child: Node<'a, '_>) -> Option<&'a str> {
    let process = child.attribute("processId").filter(|_| is_at_call(child));
    filled(process)
        .filter(|process| child.has_tag_name((ZEEBE, "calledElement")) && !process.starts_with('='))
}

fn is_at_call(child: Node<'_, '_>) -> bool {
    let node = child.parent().and_then(|holder| holder.parent());
    node.is_some_and(|node| is_bpmn(node, "callActivity"))
}

fn crossing(child: Node<'_, '_>) -> Option<Crossing> {
    let is_known = |namespace: &str| LIKE_ACTIVITI.contains(&namespace);
    if !is_at_call(child) || !child.tag_name().namespace().is_some_and(is_known) {
        return None;
    }
    let is_input = match child.tag_name().name() {
        "in" => true,
        "out" => false,
        _ => return None,
    };
    if filled(child.attribute("variables")) == Some("all") {
        return is_input.then_some(Crossing::All);
    }
    let target = filled(child.attribute("target"))?;
    DataPath::parse_members(target).ok()?;
    let source = match filled(child.attribute("source")) {
        Some(name) => {
            DataPath::parse(name).ok()?;
            format!("${{{name}}}")
        }
        None => camunda_text(filled(child.attribute("sourceExpression"))?)?.to_string(),
    };
    let mapping = Mapping {
        source,
        target: target.to_owned(),
        if_set: false,
    };
    Some(match is_input {
        true => Crossing::In(mapping),
        false => Crossing::Out(mapping),
    })
}
