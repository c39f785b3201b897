//! Collects problems while XML is read, and reads ids, references and extension elements.
//!
//! Not here: values of attributes (`values`).

use std::collections::{HashMap, HashSet};

use roxmltree::Node;

use super::{
    BPMN_NAMESPACE, STEPWIRE_NAMESPACE, ad_hoc, errors,
    index::Index,
    loop_counters::Counted,
    loops, mappings,
    without_effect::WithoutEffect,
    xml::{self, Lines, Reference, filled},
};
use crate::model::{content_hash::content_hash, problem::Problem, validate::MAX_NAME_BYTES};

/// BPMN children without meaning at run time, on any element.
const MEANINGLESS: &[&str] = &[
    "incoming",
    "outgoing",
    "documentation",
    "extensionElements",
    "auditing",
    "monitoring",
    "categoryValueRef",
    // Read, or recorded, by `mappings`.
    "ioSpecification",
    "dataInputAssociation",
    "dataOutputAssociation",
];
/// BPMN children about data and people without effect here, on any element.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "dataInput",
    "dataOutput",
    "inputSet",
    "outputSet",
    "ioBinding",
    "supportedInterfaceRef",
    "property",
    "resourceRole",
    "performer",
    "humanPerformer",
    "potentialOwner",
    "rendering",
];

/// The state while a process is read.
pub(super) struct Reader<'d> {
    pub(super) problems: Vec<Problem>,
    pub(super) without_effect: WithoutEffect,
    /// Names of other engines and of people that are understood at the present node.
    pub(super) understood: Vec<&'static str>,
    /// The variables of items of the process, by the items' ids.
    pub(super) variables: HashMap<String, String>,
    /// The activities of the process that have counters.
    pub(super) counted: Counted,
    /// The elements of the document.
    pub(super) index: &'d Index<'d>,
    /// The generated ids.
    made: HashSet<String>,
    /// The next number to try for a generated id, by its beginning.
    numbers: HashMap<String, usize>,
    lines: &'d Lines,
    wrong_namespaces: &'d HashSet<String>,
    purpose: Purpose,
}

/// The purpose of reading a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To run it.
    Run,
    /// To check its control flow: parts that a diagram may leave open are replaced.
    ControlFlow,
}

impl<'d> Reader<'d> {
    /// A reader for a document with these elements and lines, in which names of these namespaces have
    /// been reported already.
    pub(super) fn new(
        index: &'d Index<'d>,
        lines: &'d Lines,
        wrong_namespaces: &'d HashSet<String>,
        purpose: Purpose,
    ) -> Self {
        let (problems, without_effect) = (Vec::new(), WithoutEffect::default());
        let (made, numbers) = (HashSet::new(), HashMap::new());
        Self {
            problems,
            without_effect,
            understood: Vec::new(),
            variables: HashMap::new(),
            counted: Counted::default(),
            index,
            made,
            numbers,
            lines,
            wrong_namespaces,
            purpose,
        }
    }

    /// The purpose of reading.
    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Reports that something needed to run the document is missing, unless only its control flow
    /// is read. Returns whether the element is to be used.
    pub(super) fn left_open(
        &mut self,
        element: &str,
        code: &'static str,
        message: impl Into<String>,
    ) -> bool {
        match self.purpose {
            Purpose::Run => self.error(element, code, message),
            Purpose::ControlFlow => {}
        }
        self.purpose == Purpose::ControlFlow
    }

    /// The line an element begins in.
    pub(super) fn line(&self, node: Node<'_, '_>) -> usize {
        self.lines.line(node)
    }

    pub(super) fn error(&mut self, element: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::error(element, code, message));
    }

    pub(super) fn warning(
        &mut self,
        element: &str,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.problems.push(Problem::warning(element, code, message));
    }

    /// The element's id; if it has none, its name with the first free number: `task-1`.
    pub(super) fn id(&mut self, node: Node<'_, '_>) -> String {
        match filled(node.attribute("id")) {
            Some(id) => id.to_owned(),
            None => self.free_id(node.tag_name().name(), 1),
        }
    }

    /// The id of a sequence flow; if it has none, it is made from the ids it connects:
    /// `flow-SOURCE-TARGET`, with the number 2 after it for the second such flow. If that is too
    /// long, a hash replaces the two ids.
    pub(super) fn flow_id(&mut self, node: Node<'_, '_>, source: &str, target: &str) -> String {
        if let Some(id) = filled(node.attribute("id")) {
            return id.to_owned();
        }
        let ends = format!("{source}-{target}");
        let ends = if ends.len() + 16 > MAX_NAME_BYTES {
            content_hash(&ends)
        } else {
            ends
        };
        let plain = format!("flow-{ends}");
        if !self.index.has(&plain) && self.made.insert(plain.clone()) {
            plain
        } else {
            self.free_id(&plain, 2)
        }
    }

    /// The beginning with the first number, from `first` on, that is no other id of the document.
    fn free_id(&mut self, beginning: &str, first: usize) -> String {
        let next = self.numbers.entry(beginning.to_owned()).or_insert(first);
        loop {
            let id = format!("{beginning}-{next}");
            *next += 1;
            if !self.index.has(&id) && self.made.insert(id.clone()) {
                return id;
            }
        }
    }

    /// The referenced id, without prefix. An absent reference is empty, which `validate` reports.
    pub(super) fn reference(
        &mut self,
        node: Node<'_, '_>,
        element: &str,
        name: &str,
        value: Option<&str>,
    ) -> String {
        let Some(value) = filled(value) else {
            return String::new();
        };
        match xml::reference(node, value) {
            Reference::Here(local) => local.to_owned(),
            Reference::Undeclared(local) => {
                let message = format!(
                    "expected the prefix of {name} `{value}` to be declared, but it is not; it \
                    is read as `{local}` of this document: leave the prefix out"
                );
                self.warning(element, "unknown_prefix", message);
                local.to_owned()
            }
            Reference::Elsewhere { local, namespace } => {
                let message = format!(
                    "expected {name} `{value}` to be in this document's targetNamespace, but its \
                    prefix stands for {namespace}, and imported documents are not read; it is \
                    read as `{local}` alone"
                );
                self.warning(element, "unknown_prefix", message);
                local.to_owned()
            }
        }
    }

    /// The only child of its kind, if there is one. Several are reported with their lines, and the
    /// first is read.
    pub(super) fn only<'a, 'i>(
        &mut self,
        element: &str,
        code: &'static str,
        found: impl IntoIterator<Item = Node<'a, 'i>>,
    ) -> Option<Node<'a, 'i>> {
        let mut found = found.into_iter();
        let first = found.next()?;
        if let Some(second) = found.next() {
            let message = format!(
                "expected one {} in the {}, but there is one in line {} and one in line {}; \
                remove one",
                first.tag_name().name(),
                first
                    .parent_element()
                    .map_or("document", |parent| parent.tag_name().name()),
                self.line(first),
                self.line(second)
            );
            self.error(element, code, message);
        }
        Some(first)
    }

    /// Warns about attributes that are ignored: names that are not among `plain`, `stepwire:` names
    /// that are not among `own`, and those of other tools.
    pub(super) fn check_attributes(
        &mut self,
        node: Node<'_, '_>,
        element: &str,
        plain: &[&str],
        own: &[&str],
    ) {
        let tag = node.tag_name().name();
        for attribute in node.attributes() {
            let name = attribute.name();
            match attribute.namespace() {
                None if own.contains(&name) => {
                    let message = format!(
                        "expected `stepwire:{name}` on the {tag}, but got `{name}` without the \
                        prefix; it is ignored: write `stepwire:{name}`"
                    );
                    self.warning(element, "unknown_name", message);
                }
                None if !plain.contains(&name) => {
                    let known = plain.join(", ");
                    let message = format!(
                        "expected one of the attributes {known} on the {tag}, but got `{name}`; \
                        it is ignored"
                    );
                    self.warning(element, "unknown_name", message);
                }
                Some(STEPWIRE_NAMESPACE) if !own.contains(&name) => {
                    let known = own
                        .iter()
                        .map(|name| format!("stepwire:{name}"))
                        .collect::<Vec<_>>()
                        .join(", ");
                    let known = if known.is_empty() {
                        "no stepwire attribute".to_owned()
                    } else {
                        known
                    };
                    let message = format!(
                        "expected {known} on the {tag}, but got `stepwire:{name}`; it is ignored"
                    );
                    self.warning(element, "unknown_name", message);
                }
                Some(namespace) if !is_known(namespace) => {
                    self.foreign(element, node, name, namespace)
                }
                _ => {}
            }
        }
    }

    /// The `stepwire:` extension elements of a BPMN element; warns about those that are not among
    /// `known`, and about other tools'.
    pub(super) fn extensions<'a, 'i>(
        &mut self,
        node: Node<'a, 'i>,
        element: &str,
        known: &[&str],
    ) -> Vec<Node<'a, 'i>> {
        let holders = node
            .children()
            .filter(|child| super::is_bpmn(*child, "extensionElements"));
        let mut found = Vec::new();
        for child in holders
            .flat_map(|holder| holder.children())
            .filter(Node::is_element)
        {
            if self.is_own(child, element, known) {
                found.push(child);
            }
        }
        found
    }

    /// Whether the child is one of the `known` extension elements; warns if it is not.
    pub(super) fn is_own(&mut self, child: Node<'_, '_>, element: &str, known: &[&str]) -> bool {
        let name = child.tag_name().name();
        match child.tag_name().namespace() {
            Some(STEPWIRE_NAMESPACE) if known.contains(&name) => return true,
            Some(STEPWIRE_NAMESPACE) => {
                let message = format!(
                    "expected {}, but got `stepwire:{name}`; it is ignored",
                    one_of(known)
                );
                self.warning(element, "unknown_name", message);
            }
            _ if mappings::is_read(child) => {}
            namespace => self.foreign(element, child, name, namespace.unwrap_or_default()),
        }
        false
    }

    /// Reports every BPMN child that is neither read elsewhere (`read`) nor without meaning at run
    /// time.
    pub(super) fn refuse_other_children(
        &mut self,
        node: Node<'_, '_>,
        element: &str,
        read: &[&str],
    ) {
        let tag = node.tag_name().name();
        for child in node.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            match child.tag_name().namespace() {
                Some(BPMN_NAMESPACE) if MEANINGLESS.contains(&name) || read.contains(&name) => {}
                Some(BPMN_NAMESPACE) if self.understood.contains(&name) => {}
                Some(BPMN_NAMESPACE) if WITHOUT_EFFECT.contains(&name) => {
                    self.without_effect.bpmn(element, name)
                }
                Some(BPMN_NAMESPACE) if name.ends_with("EventDefinition") => {
                    let runs = match read {
                        [] => "no event definition".to_owned(),
                        _ => format!("no event definition but {}", read.join(" and ")),
                    };
                    let message = format!(
                        "expected {runs} in the {tag}, but in line {} it holds a {name}, which \
                        is not supported; draw it another way",
                        self.line(child)
                    );
                    self.error(element, "unsupported_element", message);
                }
                Some(BPMN_NAMESPACE) => {
                    let message = format!(
                        "expected a plain {tag}, but in line {} it holds a {name}, which is not \
                        supported; draw it without",
                        self.line(child)
                    );
                    self.error(element, "unsupported_element", message);
                }
                _ => self.note_foreign(child, element),
            }
        }
    }

    /// Records an element that is not BPMN's; Stepwire's elements outside extensionElements are
    /// reported for the whole document.
    pub(super) fn note_foreign(&mut self, child: Node<'_, '_>, element: &str) {
        let namespace = child.tag_name().namespace();
        if namespace != Some(STEPWIRE_NAMESPACE) {
            self.foreign(
                element,
                child,
                child.tag_name().name(),
                namespace.unwrap_or_default(),
            );
        }
    }

    /// Records an attribute or element of another namespace. Namespaces similar to Stepwire's or
    /// BPMN's are reported for the whole document.
    fn foreign(&mut self, element: &str, node: Node<'_, '_>, name: &str, namespace: &str) {
        let is_understood = match name {
            "assignmentDefinition" => ["assignee", "candidateGroups"]
                .iter()
                .any(|name| self.understood.contains(name)),
            "taskSchedule" => self.understood.contains(&"dueDate"),
            _ => self.understood.contains(&name),
        };
        let is_understood = is_understood
            || loops::is_understood(node, name, namespace)
            || ad_hoc::is_understood(name, namespace)
            || mappings::is_initiator(node, name, namespace)
            || errors::is_understood(name, namespace);
        if !is_understood && !self.wrong_namespaces.contains(namespace) {
            let shown = if namespace.is_empty() {
                "no namespace"
            } else {
                namespace
            };
            self.without_effect
                .foreign(element, node.lookup_prefix(namespace), name, shown);
        }
    }
}

/// The `stepwire:` attribute of that name, unless it is empty.
pub(super) fn own<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    filled(node.attribute((STEPWIRE_NAMESPACE, name)))
}

/// A required plain attribute: an absent one is read as empty, which `validate` reports as in the
/// JSON form.
pub(super) fn plain(node: Node<'_, '_>, name: &str) -> String {
    filled(node.attribute(name)).unwrap_or_default().to_owned()
}

fn is_known(namespace: &str) -> bool {
    [
        BPMN_NAMESPACE,
        STEPWIRE_NAMESPACE,
        "http://www.w3.org/2001/XMLSchema-instance",
        "http://www.w3.org/XML/1998/namespace",
    ]
    .contains(&namespace)
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "no stepwire element here".to_owned(),
        _ => names
            .iter()
            .map(|name| format!("`stepwire:{name}`"))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}
