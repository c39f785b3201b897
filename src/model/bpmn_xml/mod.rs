//! Reads BPMN 2.0 XML with Stepwire's extension elements into process definitions.
//!
//! Everything the engine would not run as drawn is an error that names the element; what has no meaning at run time
//! (diagrams, documentation, annotations, pools) is passed over. All problems of a document come at once.
//!
//! `process` walks a process, `nodes`, `flows` and `lanes` read its parts, `errors`, `multi_instance` and `schedules` what nodes hold, `languages` what expressions are written in,
//! `actions` the extension elements; `reader` collects problems and reads attributes. Not here: the rules a definition must keep (`validate`).

mod actions;
mod errors;
mod flows;
mod lanes;
mod languages;
mod multi_instance;
mod nodes;
mod process;
mod reader;
mod schedules;

use roxmltree::{Document, Error, Node, ParsingOptions};

use self::reader::Reader;
use super::{
    problem::{Problem, Severity},
    source::ReadDefinition,
    validate,
};

/// Namespace of the extension elements and attributes.
pub const STEPWIRE_NAMESPACE: &str = "https://stepwire.dev/schema/bpmn/1.0";
/// Namespace of the BPMN 2.0 elements.
pub const BPMN_NAMESPACE: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";

/// Most XML nodes and attributes of a document.
const MAX_XML_NODES: u32 = 200_000;
/// Deepest nesting of XML elements.
const MAX_XML_DEPTH: usize = 64;

/// Reads all processes of a document, each with its warnings; those with `isExecutable="false"` are passed over.
///
/// # Errors
/// All problems, warnings among them, when any is an error. Rules that need no complete graph are then checked as well,
/// so that the modeller sees them at once.
pub fn read(xml: &str) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_XML_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, options).map_err(|error| vec![unreadable(&error)])?;
    let root = document.root_element();
    check_root(root).map_err(|problem| vec![problem])?;

    let mut definitions = Vec::new();
    for process in root.children().filter(|child| is_bpmn(*child, "process") && child.attribute("isExecutable") != Some("false"))
    {
        let mut reader = Reader::default();
        let definition = process::read(process, &mut reader);
        definitions.push((definition, reader.problems));
    }
    if definitions.is_empty() {
        let message = "expected a process to run, but the document has none; set isExecutable=\"true\" on one";
        return Err(vec![Problem::error("", "no_process", message)]);
    }
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    if definitions.iter().any(|(_, problems)| problems.iter().any(is_error)) {
        let with_node_rules = |(definition, mut problems): ReadDefinition| {
            problems.extend(validate::validate_nodes(&definition));
            problems
        };
        return Err(definitions.into_iter().flat_map(with_node_rules).collect());
    }
    Ok(definitions)
}

fn check_root(root: Node<'_, '_>) -> Result<(), Problem> {
    if !is_bpmn(root, "definitions") {
        let message = format!(
            "expected the root element `definitions` of BPMN 2.0 ({BPMN_NAMESPACE}), but got `{}`; export the model as BPMN 2.0",
            root.tag_name().name()
        );
        return Err(Problem::error("", "not_bpmn", message));
    }
    if root.descendants().any(|node| node.ancestors().nth(MAX_XML_DEPTH).is_some()) {
        let message = format!("expected at most {MAX_XML_DEPTH} levels of elements, but the document is deeper; flatten it");
        return Err(Problem::error("", "too_deep", message));
    }
    Ok(())
}

fn unreadable(error: &Error) -> Problem {
    match error {
        Error::DtdDetected => Problem::error("", "dtd_refused", "expected no DOCTYPE, but the document has one; remove it"),
        Error::NodesLimitReached => Problem::error(
            "",
            "too_large",
            format!("expected at most {MAX_XML_NODES} XML nodes, but there are more; split the model"),
        ),
        other => Problem::error("", "invalid_xml", format!("expected well-formed XML, but {other}; mend it there")),
    }
}

/// Whether the node is the BPMN element of that name.
fn is_bpmn(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(BPMN_NAMESPACE) && node.tag_name().name() == name
}

#[cfg(test)]
mod tests;
