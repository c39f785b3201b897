//! Collects problems while XML is read, and reads attributes and extension elements.

use roxmltree::Node;
use serde_json::Value;

use super::{BPMN_NAMESPACE, STEPWIRE_NAMESPACE};
use crate::{model::problem::Problem, text::json};

/// BPMN children that mean nothing at run time, on any element.
const MEANINGLESS: &[&str] = &["incoming", "outgoing", "documentation", "extensionElements", "auditing", "monitoring"];

/// The problems found so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn error(&mut self, element: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::error(element, code, message));
    }

    pub(super) fn warning(&mut self, element: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::warning(element, code, message));
    }

    /// The element's id; without one the element is reported at `parent` and cannot be read.
    pub(super) fn id<'a>(&mut self, node: Node<'a, '_>, parent: &str) -> Option<&'a str> {
        let id = filled(node.attribute("id"));
        if id.is_none() {
            let line = node.document().text_pos_at(node.range().start).row;
            let name = node.tag_name().name();
            self.error(
                parent,
                "missing_attribute",
                format!("expected an id, but the {name} in line {line} has none; add id=\"…\""),
            );
        }
        id
    }

    /// A plain attribute that must be there; its absence is reported and read as empty.
    pub(super) fn required(&mut self, node: Node<'_, '_>, element: &str, name: &str) -> String {
        let value = filled(node.attribute(name));
        if value.is_none() {
            let tag = node.tag_name().name();
            self.error(element, "missing_attribute", format!("expected `{name}` on the {tag}, but it is missing; add it"));
        }
        value.unwrap_or_default().to_owned()
    }

    /// An attribute value that is one of some words; another word is reported and read as the first one's meaning.
    pub(super) fn word<T: Copy>(&mut self, element: &str, name: &str, value: Option<&str>, words: &[(&str, T)], absent: T) -> T {
        let Some(value) = filled(value) else { return absent };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => *meaning,
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let expected = known.join("` or `");
                self.error(
                    element,
                    "invalid_value",
                    format!("expected `{name}` to be `{expected}`, but got `{value}`; correct it"),
                );
                absent
            }
        }
    }

    /// A boolean attribute value.
    pub(super) fn flag(&mut self, element: &str, name: &str, value: Option<&str>, absent: bool) -> bool {
        self.word(element, name, value, &[("true", true), ("false", false)], absent)
    }

    /// An integer attribute value.
    pub(super) fn integer(&mut self, element: &str, name: &str, value: Option<&str>) -> Option<i64> {
        let value = filled(value)?;
        let number = value.parse().ok();
        if number.is_none() {
            self.error(element, "invalid_value", format!("expected `{name}` to be an integer, but got `{value}`; correct it"));
        }
        number
    }

    /// A JSON list of strings.
    pub(super) fn list(&mut self, element: &str, name: &str, value: Option<&str>) -> Option<Vec<String>> {
        let value = filled(value)?;
        let list = serde_json::from_str(value).ok();
        if list.is_none() {
            let message = format!("expected `{name}` to be a JSON list such as [\"client\"], but got `{value}`; correct it");
            self.error(element, "invalid_value", message);
        }
        list
    }

    /// Any JSON text.
    pub(super) fn json(&mut self, element: &str, name: &str, text: &str) -> Option<Value> {
        json::from_text(text)
            .map_err(|error| self.error(element, "invalid_value", format!("expected JSON in `{name}`, but {error}; correct it")))
            .ok()
    }

    /// Warns of attributes that will be ignored: names that are not among `plain`, `stepwire:` names that are not among
    /// `own`, and those of other tools.
    pub(super) fn check_attributes(&mut self, node: Node<'_, '_>, element: &str, plain: &[&str], own: &[&str]) {
        let tag = node.tag_name().name();
        for attribute in node.attributes() {
            let name = attribute.name();
            match attribute.namespace() {
                None if !plain.contains(&name) => {
                    let known = plain.join(", ");
                    let message = format!("expected one of the attributes {known} on the {tag}, but got `{name}`; it is ignored");
                    self.warning(element, "unknown_name", message);
                }
                Some(STEPWIRE_NAMESPACE) if !own.contains(&name) => {
                    let known = own.iter().map(|name| format!("stepwire:{name}")).collect::<Vec<_>>().join(", ");
                    let known = if known.is_empty() { "no stepwire attribute".to_owned() } else { known };
                    let message = format!("expected {known} on the {tag}, but got `stepwire:{name}`; it is ignored");
                    self.warning(element, "unknown_name", message);
                }
                Some(namespace) if !is_known(namespace) => self.foreign(element, name, namespace),
                _ => {}
            }
        }
    }

    /// The `stepwire:` extension elements of a BPMN element; warns of those that are not among `known` and of other tools'.
    pub(super) fn extensions<'a, 'i>(&mut self, node: Node<'a, 'i>, element: &str, known: &[&str]) -> Vec<Node<'a, 'i>> {
        let holders = node.children().filter(|child| super::is_bpmn(*child, "extensionElements"));
        let mut found = Vec::new();
        for child in holders.flat_map(|holder| holder.children()).filter(Node::is_element) {
            if self.is_own(child, element, known) {
                found.push(child);
            }
        }
        found
    }

    /// Whether the child is one of the `known` extension elements; warns when it is not.
    pub(super) fn is_own(&mut self, child: Node<'_, '_>, element: &str, known: &[&str]) -> bool {
        let name = child.tag_name().name();
        match child.tag_name().namespace() {
            Some(STEPWIRE_NAMESPACE) if known.contains(&name) => return true,
            Some(STEPWIRE_NAMESPACE) => {
                let message = format!("expected {}, but got `stepwire:{name}`; it is ignored", one_of(known));
                self.warning(element, "unknown_name", message);
            }
            namespace => self.foreign(element, name, namespace.unwrap_or("no namespace")),
        }
        false
    }

    /// Reports every BPMN child that is neither read elsewhere (`read`) nor without meaning at run time.
    pub(super) fn refuse_other_children(&mut self, node: Node<'_, '_>, element: &str, read: &[&str]) {
        let tag = node.tag_name().name();
        for child in node.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            match child.tag_name().namespace() {
                Some(BPMN_NAMESPACE) if MEANINGLESS.contains(&name) || read.contains(&name) => {}
                Some(BPMN_NAMESPACE) => {
                    let message = format!("expected a plain {tag}, but it holds a {name}, which is not supported; remove it");
                    self.error(element, "unsupported_element", message);
                }
                namespace => self.foreign(element, name, namespace.unwrap_or("no namespace")),
            }
        }
    }

    fn foreign(&mut self, element: &str, name: &str, namespace: &str) {
        let message = format!(
            "expected extensions of {STEPWIRE_NAMESPACE} only, but got `{name}` of {namespace}; it is ignored: remove it"
        );
        self.warning(element, "foreign_extension", message);
    }
}

/// The attribute unless it is empty: designers write empty attributes for absent values.
pub(super) fn filled(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// A plain attribute that must be there: an absent one is read as empty, which `validate` reports as in the JSON form.
pub(super) fn plain(node: Node<'_, '_>, name: &str) -> String {
    filled(node.attribute(name)).unwrap_or_default().to_owned()
}

/// The `stepwire:` attribute of that name, unless it is empty.
pub(super) fn own<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    filled(node.attribute((STEPWIRE_NAMESPACE, name)))
}

/// All text directly in an element.
pub(super) fn text(node: Node<'_, '_>) -> String {
    let text: String = node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
    text.trim().to_owned()
}

fn is_known(namespace: &str) -> bool {
    [BPMN_NAMESPACE, STEPWIRE_NAMESPACE, "http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace"]
        .contains(&namespace)
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "no stepwire element here".to_owned(),
        _ => names.iter().map(|name| format!("`stepwire:{name}`")).collect::<Vec<_>>().join(" or "),
    }
}
