//! Checks a document as a whole, whatever it contains: unique ids, names in their namespaces,
//! Stepwire's elements where they are read, a process that can run.
//!
//! Not here: the contents of a process and its parts (`process`, `nodes`).

use std::collections::{BTreeMap, HashMap, HashSet};

use roxmltree::Node;

use super::{
    BPMN_NAMESPACE, STEPWIRE_NAMESPACE, global_tasks, is_bpmn, nodes,
    xml::{self, Lines, filled},
};
use crate::model::problem::Problem;

/// BPMN elements that are read or refused anywhere in a process; in another namespace
/// they are a mistake.
const STRUCTURE: &[&str] = &[
    "process",
    "collaboration",
    "participant",
    "laneSet",
    "lane",
    "flowNodeRef",
    "sequenceFlow",
    "conditionExpression",
    "extensionElements",
    "subProcess",
    "error",
    "message",
    "signal",
    "escalation",
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
];
/// The beginning of the namespaces of BPMN's diagrams.
const DIAGRAMS: &str = "http://www.omg.org/spec/";
/// Stepwire's extension elements directly in `extensionElements`.
const EXTENSIONS: &[&str] = &["actions", "key", "startData", "webhook"];

/// The content of the document below its root.
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    /// Namespaces (empty: none) whose names are reported, and need no further problem.
    pub(super) wrong_namespaces: HashSet<String>,
}

/// Checks the document below its root.
pub(super) fn check(root: Node<'_, '_>, lines: &Lines) -> Findings {
    let mut problems = Vec::new();
    repeated_ids(root, lines, &mut problems);
    let mut foreign = BTreeMap::new();
    for node in root.descendants().filter(Node::is_element) {
        namespaces(node, lines, &mut foreign);
        misplaced(node, lines, &mut problems);
    }
    let wrong_namespaces = foreign.keys().cloned().collect();
    problems.extend(foreign.into_values());
    Findings {
        problems,
        wrong_namespaces,
    }
}

fn repeated_ids(root: Node<'_, '_>, lines: &Lines, problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, Node<'_, '_>> = HashMap::new();
    for node in root.descendants().filter(|node| has_id(*node)) {
        let Some(id) = filled(node.attribute("id")) else {
            continue;
        };
        let Some(first) = seen.get(id) else {
            seen.insert(id, node);
            continue;
        };
        let place = |node: Node<'_, '_>| {
            format!(
                "the {} in line {}",
                node.tag_name().name(),
                lines.line(node)
            )
        };
        let message = format!(
            "expected each id once in the document, but `{id}` is the id of {} and of {}; rename \
            one",
            place(*first),
            place(node)
        );
        // Nothing that runs refers to an element of a diagram.
        let drawn = [*first, node]
            .iter()
            .any(|node| node.tag_name().namespace() != Some(BPMN_NAMESPACE));
        problems.push(if drawn {
            Problem::warning(id, "duplicate_id", message)
        } else {
            Problem::error(id, "duplicate_id", message)
        });
    }
}

/// Whether the attribute `id` of an element is an XML id, which occurs once in a document: that of
/// BPMN and its diagrams. In other tools' elements `id` may have another meaning.
fn has_id(node: Node<'_, '_>) -> bool {
    node.tag_name()
        .namespace()
        .is_some_and(|namespace| namespace == BPMN_NAMESPACE || namespace.starts_with(DIAGRAMS))
}

/// Collects the names of a node in a namespace similar to the right one, one problem for each such
/// namespace.
fn namespaces(node: Node<'_, '_>, lines: &Lines, found: &mut BTreeMap<String, Problem>) {
    let stepwire = |namespace: &str, name: &str| {
        format!(
            "expected Stepwire's names in the namespace {STEPWIRE_NAMESPACE}, but `{name}` in \
            line {} is in {namespace}; correct the namespace",
            lines.line(node)
        )
    };
    let mut note = |namespace: &str, message: String| {
        let problem = || Problem::error(element_of(node), "wrong_namespace", message);
        found.entry(namespace.to_owned()).or_insert_with(problem);
    };
    for attribute in node.attributes() {
        if let Some(namespace) = attribute
            .namespace()
            .filter(|namespace| is_near_stepwire(node, namespace))
        {
            note(namespace, stepwire(namespace, attribute.name()));
        }
    }
    let name = node.tag_name().name();
    let parent = node
        .parent_element()
        .and_then(|parent| parent.tag_name().namespace());
    match node
        .tag_name()
        .namespace()
        .filter(|namespace| !namespace.is_empty())
    {
        Some(BPMN_NAMESPACE) if in_extensions(node) && EXTENSIONS.contains(&name) => {
            note(
                BPMN_NAMESPACE,
                format!(
                    "expected `stepwire:{name}`, but `{name}` in line {} is written as an \
                    element of BPMN; write `stepwire:{name}`",
                    lines.line(node)
                ),
            );
        }
        Some(BPMN_NAMESPACE | STEPWIRE_NAMESPACE) => {}
        Some(namespace) if is_near_stepwire(node, namespace) => {
            note(namespace, stepwire(namespace, name))
        }
        None if in_extensions(node) && EXTENSIONS.contains(&name) => {
            note(
                "",
                format!(
                    "expected `stepwire:{name}`, but `{name}` in line {} is in no namespace; \
                    write `stepwire:{name}`",
                    lines.line(node)
                ),
            );
        }
        namespace
            if parent == Some(BPMN_NAMESPACE) && !in_extensions(node) && is_structure(name) =>
        {
            let written = match namespace {
                Some(namespace) if !namespace.contains("omg.org") => return,
                Some(namespace) => format!("in {namespace}"),
                None => "in no namespace".to_owned(),
            };
            let message = format!(
                "expected `{name}` in line {} to be in the namespace {BPMN_NAMESPACE}, but it is \
                {written}; {}",
                lines.line(node),
                xml::prefix_advice(node, name)
            );
            note(namespace.unwrap_or_default(), message);
        }
        _ => {}
    }
}

fn is_structure(name: &str) -> bool {
    STRUCTURE.contains(&name)
        || nodes::kind(name).is_some()
        || name.ends_with("Event")
        || name.ends_with("Task")
}

/// Whether a namespace is similar to Stepwire's, but not equal.
fn is_near_stepwire(node: Node<'_, '_>, namespace: &str) -> bool {
    let is_similar = || {
        namespace.to_ascii_lowercase().contains("stepwire")
            || node
                .lookup_prefix(namespace)
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case("stepwire"))
    };
    namespace != STEPWIRE_NAMESPACE && is_similar()
}

/// Reports a Stepwire element where none is read, and attributes on elements where they are not
/// read.
fn misplaced(node: Node<'_, '_>, lines: &Lines, problems: &mut Vec<Problem>) {
    let name = node.tag_name().name();
    let parent = node.parent_element();
    let is_own = |node: Node<'_, '_>| node.tag_name().namespace() == Some(STEPWIRE_NAMESPACE);
    if is_own(node) && !in_extensions(node) && !parent.is_some_and(is_own) {
        let message = format!(
            "expected `stepwire:{name}` in an extensionElements element, but in line {} it is \
            directly in the {}; put it into <extensionElements>",
            lines.line(node),
            parent.map_or("document", |parent| parent.tag_name().name())
        );
        problems.push(Problem::error(
            element_of(node),
            "misplaced_extension",
            message,
        ));
    }
    let is_read = name == "process"
        || name == "lane"
        || name == "sequenceFlow"
        || nodes::kind(name).is_some()
        || global_tasks::kind(name).is_some();
    if is_bpmn(node, name)
        && !is_read
        && !name.ends_with("EventDefinition")
        && name != "multiInstanceLoopCharacteristics"
    {
        for attribute in node
            .attributes()
            .filter(|attribute| attribute.namespace() == Some(STEPWIRE_NAMESPACE))
            // The key of a message applies to all events that refer to it.
            .filter(|attribute| name != "message" || attribute.name() != "correlationKey")
        {
            let message = format!(
                "expected `stepwire:{}` on an element that supports it, but in line {} it is on a \
                {name}, where it has no effect; move it",
                attribute.name(),
                lines.line(node)
            );
            problems.push(Problem::warning(element_of(node), "unknown_name", message));
        }
    }
}

fn in_extensions(node: Node<'_, '_>) -> bool {
    node.parent_element()
        .is_some_and(|parent| is_bpmn(parent, "extensionElements"))
}

/// The id of the BPMN element that contains a node, or its own.
fn element_of<'a>(node: Node<'a, '_>) -> &'a str {
    let mut around = node
        .ancestors()
        .filter(|node| node.tag_name().namespace() == Some(BPMN_NAMESPACE));
    around
        .find_map(|node| filled(node.attribute("id")))
        .unwrap_or_default()
}
