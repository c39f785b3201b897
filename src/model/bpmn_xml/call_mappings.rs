//! Reads the called process and the data passed by call activities of other engines: `in` and `out`
//! of Camunda 7, its successors, Flowable and Activiti, and Zeebe's `calledElement`.
//!
//! What is not a mapping here (another expression) is named in a warning, like everything
//! without effect. Stepwire's own attributes: `nodes`.

use roxmltree::Node;

use super::{
    assignments, is_bpmn,
    mappings::{Mappings, as_source, camunda_text, variable_path},
    xml::{LIKE_ACTIVITI, ZEEBE, boolean, filled},
};
use crate::model::{mapping::Mapping, path::DataPath};

/// The meaning of one element.
enum VariableMapping {
    /// The called process gets every variable, as without any `in`.
    All,
    /// It gets every variable that the call owns, which it always does.
    Own,
    /// It gets a value.
    In(Mapping),
    /// It returns a value.
    Out(Mapping),
}

/// Whether [`read`] or [`called_element`] understands this extension element.
pub(super) fn is_read(child: Node<'_, '_>) -> bool {
    variable_mapping(child).is_some()
        || process_id(child).is_some()
        || is_at_call(child) && key_of(child).is_some()
}

/// Adds the mappings of a call activity.
pub(super) fn read(node: Node<'_, '_>, found: &mut Mappings) {
    for mapping in extensions(node).filter_map(variable_mapping) {
        match mapping {
            VariableMapping::All | VariableMapping::Own => {}
            VariableMapping::In(mapping) => found.inputs.push(mapping),
            VariableMapping::Out(mapping) => found.outputs.push(mapping),
        }
    }
    if found.outputs.is_empty() && zeebe_passes(node, "propagateAllChildVariables") == Some(true) {
        found.outputs.push(Mapping::all());
    }
}

/// What Zeebe's `calledElement` says about passing all variables in one direction; `None` without
/// one.
fn zeebe_passes(node: Node<'_, '_>, name: &str) -> Option<bool> {
    let called = extensions(node).find(|child| process_id(*child).is_some())?;
    Some(called.attribute(name).and_then(boolean) != Some(false))
}

/// Whether the called process gets only the data that the call names.
pub(super) fn names_all_it_passes(node: Node<'_, '_>) -> bool {
    let mut names_some = zeebe_passes(node, "propagateAllParentVariables") == Some(false);
    for mapping in extensions(node).filter_map(variable_mapping) {
        match mapping {
            VariableMapping::All => return false,
            VariableMapping::In(_) | VariableMapping::Own => names_some = true,
            VariableMapping::Out(_) => {}
        }
    }
    names_some
}

/// The called process in Zeebe's notation: its id, or a path in a placeholder.
pub(super) fn called_element(node: Node<'_, '_>) -> Option<String> {
    extensions(node).find_map(process_id)
}

/// The business key of the called process.
pub(super) fn business_key(node: Node<'_, '_>) -> Option<String> {
    let mut keys = extensions(node).filter(|child| is_at_call(*child));
    keys.find_map(key_of)
}

/// The business key that an `in` passes: a text, a path, or that of the instance itself.
pub(super) fn key_of(child: Node<'_, '_>) -> Option<String> {
    let is_known = |namespace: &str| LIKE_ACTIVITI.contains(&namespace);
    let namespace = child.tag_name().namespace()?;
    if !is_known(namespace) || child.tag_name().name() != "in" {
        return None;
    }
    let written = filled(child.attribute("businessKey"))?.replace("#{", "${");
    let own = [
        "${execution.processBusinessKey}",
        "${execution.businessKey}",
    ];
    if own.contains(&&*written) {
        return Some("${processBusinessKey}".to_owned());
    }
    camunda_text(&written)?.as_str().map(str::to_owned)
}

/// The extension elements of a BPMN element.
pub(super) fn extensions<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let holders = node.children();
    holders
        .filter(|child| is_bpmn(*child, "extensionElements"))
        .flat_map(|holder| holder.children())
        .filter(Node::is_element)
}

fn process_id(child: Node<'_, '_>) -> Option<String> {
    let process = filled(child.attribute("processId"))?;
    if !is_at_call(child) || !child.has_tag_name((ZEEBE, "calledElement")) {
        return None;
    }
    match process.strip_prefix('=') {
        Some(feel) => variable_path(feel.trim())
            .map(|path| format!("${{{path}}}"))
            .or_else(|| assignments::template(process)),
        None => Some(process.to_owned()),
    }
}

fn is_at_call(child: Node<'_, '_>) -> bool {
    let node = child.parent().and_then(|holder| holder.parent());
    node.is_some_and(|node| is_bpmn(node, "callActivity"))
}

fn variable_mapping(child: Node<'_, '_>) -> Option<VariableMapping> {
    let is_known = |namespace: &str| LIKE_ACTIVITI.contains(&namespace);
    if !is_at_call(child) || !child.tag_name().namespace().is_some_and(is_known) {
        return None;
    }
    let is_input = match child.tag_name().name() {
        "in" => true,
        "out" => false,
        _ => return None,
    };
    let all = filled(child.attribute("variables")) == Some("all");
    let is_local = child.attribute("local").and_then(boolean) == Some(true);
    match (is_input, all) {
        (true, true) if is_local => Some(VariableMapping::Own),
        (true, true) => Some(VariableMapping::All),
        (true, false) => plain(child).map(VariableMapping::In),
        (false, true) if is_local => None,
        (false, true) => Some(VariableMapping::Out(Mapping::all())),
        (false, false) => plain(child).map(VariableMapping::Out),
    }
}

/// The variables that a call passes if it names each of them; `None` if it passes others, too.
pub(super) fn passed(node: Node<'_, '_>) -> Option<Vec<String>> {
    let mut named = Vec::new();
    for mapping in extensions(node).filter_map(variable_mapping) {
        match mapping {
            VariableMapping::All | VariableMapping::Own => return None,
            VariableMapping::In(mapping) => named.push(mapping.target),
            VariableMapping::Out(_) => {}
        }
    }
    Some(named).filter(|named| !named.is_empty())
}

/// Whether an `in` names all variables that its element sees (`false`: all that it owns), or
/// `None` when it names one.
pub(super) fn names_all(child: Node<'_, '_>) -> Option<bool> {
    let is_local = child.attribute("local").and_then(boolean) == Some(true);
    (filled(child.attribute("variables")) == Some("all")).then_some(!is_local)
}

/// The mapping of an `in` or `out` that names one value or computes it; `None` for any other.
pub(super) fn plain(child: Node<'_, '_>) -> Option<Mapping> {
    let target = filled(child.attribute("target"))?;
    DataPath::parse_members(target).ok()?;
    let source = match filled(child.attribute("source")) {
        Some(name) => {
            DataPath::parse(name).ok()?;
            format!("${{{name}}}")
        }
        None => as_source(&camunda_text(filled(child.attribute("sourceExpression"))?)?),
    };
    Some(Mapping {
        source,
        target: target.to_owned(),
        if_set: false,
    })
}
