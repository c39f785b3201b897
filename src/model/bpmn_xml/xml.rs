//! XML and the simple types of XML Schema as BPMN uses them: white space, booleans, qualified
//! names, line numbers.

use roxmltree::Node;

use super::{BPMN_NAMESPACE, STEPWIRE_NAMESPACE};

/// White space in XML; nothing else is trimmed or collapsed.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A value without white space around it, unless it is then empty: editors write empty attributes
/// for absent values.
pub(super) fn filled(value: Option<&str>) -> Option<&str> {
    value.map(trimmed).filter(|value| !value.is_empty())
}

/// A value without white space around it.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches(WHITE_SPACE)
}

/// An `xsd:boolean`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match trimmed(text) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// All text directly in an element.
pub(super) fn text(node: Node<'_, '_>) -> String {
    let text: String = node
        .children()
        .filter(Node::is_text)
        .filter_map(|child| child.text())
        .collect();
    text.trim().to_owned()
}

/// The ends of lines in a document, by which the line of an element is found without reading the
/// text again.
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    /// The lines of a text.
    pub(super) fn of(text: &str) -> Self {
        Self {
            ends: text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect(),
        }
    }

    /// The line an element begins in, from 1.
    pub(super) fn line(&self, node: Node<'_, '_>) -> usize {
        let start = node.range().start;
        1 + self.ends.partition_point(|end| *end < start)
    }
}

/// The target of a qualified name.
pub(super) enum Reference<'a> {
    /// Something in this document.
    Here(&'a str),
    /// A name whose prefix is not declared.
    Undeclared(&'a str),
    /// A name whose prefix is declared for another namespace than the document's `targetNamespace`.
    Elsewhere {
        /// The name without its prefix.
        local: &'a str,
        /// The namespace of the prefix.
        namespace: &'a str,
    },
}

/// Reads an `xsd:QName` (or `xsd:IDREF`) written at `node`. A name without a prefix belongs to this
/// document, as all BPMN tools write it, even with a default namespace.
pub(super) fn reference<'a>(node: Node<'a, '_>, text: &'a str) -> Reference<'a> {
    let text = trimmed(text);
    let Some((prefix, local)) = text.split_once(':') else {
        return Reference::Here(text);
    };
    let target = node.document().root_element().attribute("targetNamespace");
    match node.lookup_namespace_uri(Some(prefix)) {
        None => Reference::Undeclared(local),
        Some(namespace) if target.is_none_or(|target| target == namespace) => {
            Reference::Here(local)
        }
        Some(namespace) => Reference::Elsewhere { local, namespace },
    }
}

/// How to write an element at this place so that it is in BPMN's namespace.
pub(super) fn prefix_advice(node: Node<'_, '_>, name: &str) -> String {
    match node.lookup_prefix(BPMN_NAMESPACE) {
        Some(prefix) if !prefix.is_empty() => format!("write `{prefix}:{name}`"),
        _ => format!("declare xmlns=\"{BPMN_NAMESPACE}\""),
    }
}

/// Namespaces of Camunda 7 and of the engines that continue it, with the same names.
pub(super) const CAMUNDA: [&str; 3] = [
    "http://camunda.org/schema/1.0/bpmn",
    "http://operaton.org/schema/1.0/bpmn",
    "http://fluxnova.finos.org/schema/1.0/bpmn",
];
/// The namespace of Camunda 8.
pub(super) const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";
/// The namespace of Flowable.
pub(super) const FLOWABLE: &str = "http://flowable.org/bpmn";
/// The namespace of Activiti.
pub(super) const ACTIVITI: &str = "http://activiti.org/bpmn";
/// Engines derived from Activiti, whose tasks and loops have its attributes.
pub(super) const LIKE_ACTIVITI: [&str; 5] =
    [CAMUNDA[0], CAMUNDA[1], CAMUNDA[2], FLOWABLE, ACTIVITI];

/// The namespace for which a prefix is usually declared.
pub(super) fn usual_namespace(prefix: &str) -> Option<&'static str> {
    Some(match prefix {
        "stepwire" => STEPWIRE_NAMESPACE,
        "bpmn" | "bpmn2" | "semantic" | "model" => BPMN_NAMESPACE,
        "bpmndi" => "http://www.omg.org/spec/BPMN/20100524/DI",
        "dc" | "omgdc" => "http://www.omg.org/spec/DD/20100524/DC",
        "di" | "omgdi" => "http://www.omg.org/spec/DD/20100524/DI",
        "xsi" => "http://www.w3.org/2001/XMLSchema-instance",
        "camunda" => CAMUNDA[0],
        "operaton" => CAMUNDA[1],
        "fluxnova" => CAMUNDA[2],
        "zeebe" => ZEEBE,
        "flowable" => FLOWABLE,
        "activiti" => ACTIVITI,
        _ => return None,
    })
}

/// The format of a document with this root element.
pub(super) fn format_of(root: &str, namespace: &str) -> Option<&'static str> {
    let namespace = namespace.to_ascii_lowercase();
    Some(match root {
        "Package" if namespace.contains("xpdl") => "XPDL",
        "definitions" if namespace.contains("dmn") => "DMN, decisions",
        "definitions" if namespace.contains("/cmmn/") => "CMMN, cases",
        "definitions" if namespace.starts_with("http://schema.omg.org/spec/bpmn/2.0") => {
            "a draft of BPMN 2.0"
        }
        "definitions" if namespace.contains("wsdl") => "WSDL",
        "BpmnDiagram" | "BPMNDiagram" | "BusinessProcessDiagram" => "a drawing of BPMN 1.x",
        "process" if namespace.contains("bpel") => "BPEL",
        "process-definition" => "jPDL",
        "XMI" => "XMI",
        "html" => "a page",
        _ => return None,
    })
}
