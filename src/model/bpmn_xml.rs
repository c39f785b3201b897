//! Reads BPMN 2.0 XML with Stepwire's extension elements into process definitions.
//!
//! Everything that the engine would not run as drawn is an error that names the element. Elements
//! without meaning at run time (diagrams, documentation, annotations, pools) are ignored. All
//! problems of a document are reported at once.
//!
//! `document` checks the document as a whole. `process` reads a process; `nodes`, `flows`,
//! `flow_order`, `lanes` and `compensation` read its parts; `global_tasks` reads the tasks beside
//! it; `errors`, `multi_instance` and `schedules` read parts of nodes; `assignments` reads the
//! assignments of other engines; `languages` handles expression languages; `actions` reads the
//! extension elements. `reader` collects problems, `values` reads attributes, `markup` limits the
//! input of the XML library, `xml` reads the types of XML Schema, `without_effect` collects names
//! without effect here. `diagram` writes a document without the parts that only its authors may
//! read. Not here: the rules of a definition (`validate`).

mod actions;
mod ad_hoc;
mod assignments;
mod call_mappings;
mod compensation;
mod data_objects;
mod diagram;
mod document;
mod errors;
mod events;
mod flow_order;
mod flows;
mod gateway_direction;
mod global_tasks;
mod index;
mod lanes;
mod languages;
mod loop_counters;
mod loops;
mod mappings;
mod markup;
mod messages;
mod node_attributes;
mod nodes;
mod process;
mod processes;
mod reader;
mod schedules;
mod values;
mod without_effect;
mod xml;

use roxmltree::{Document, Error, Node, ParsingOptions};

pub use self::diagram::diagram;
use self::{
    document::Findings,
    index::Index,
    reader::{Purpose, Reader},
    xml::Lines,
};
use super::{
    problem::{Problem, Severity},
    source::ReadDefinition,
    validate,
};
use crate::model::definition::ElementType;

/// Namespace of the extension elements and attributes.
pub const STEPWIRE_NAMESPACE: &str = "https://stepwire.dev/schema/bpmn/1.0";
/// Namespace of the BPMN 2.0 elements.
pub const BPMN_NAMESPACE: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";

/// Most XML nodes and attributes of a document.
const MAX_XML_NODES: u32 = 200_000;
/// Deepest nesting of XML elements.
const MAX_XML_DEPTH: usize = 64;

/// Reads all processes and global tasks of a document, each with its warnings, the first one also
/// with those of the document. Processes that are not executable are ignored.
///
/// # Errors
/// All problems, including warnings, if any is an error. Rules that need no complete graph are then
/// checked as well, so that the modeller sees them at once.
pub fn read(xml: &str) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    read_for(Purpose::Run, xml)
}

/// Reads the control flow of the processes of a document: as [`read`], but what does not matter for
/// it may be missing (which message an event waits for, when a timer is due) or be in any language.
///
/// # Errors
/// As [`read`].
pub fn read_control_flow(xml: &str) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    read_for(Purpose::ControlFlow, xml)
}

fn read_for(purpose: Purpose, xml: &str) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    markup::check(xml).map_err(|found| {
        vec![Problem::error(
            "",
            "too_large",
            format!("{found}; take some out"),
        )]
    })?;
    let options = ParsingOptions {
        // Without entities of its own a DOCTYPE has no effect.
        allow_dtd: !xml.contains("<!ENTITY"),
        nodes_limit: MAX_XML_NODES,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(xml, options).map_err(|error| vec![unreadable(&error)])?;
    let root = document.root_element();
    check_root(root).map_err(|problem| vec![problem])?;

    let lines = Lines::of(xml);
    let Findings {
        problems: of_document,
        wrong_namespaces,
    } = document::check(root, &lines);
    let index = Index::of(root);
    let tasks = global_tasks::of(root);
    let (processes, of_processes) = processes::to_read(root, !tasks.is_empty(), &lines);
    let mut definitions = Vec::new();
    for process in processes {
        let mut reader = Reader::new(&index, &lines, &wrong_namespaces, purpose);
        let definition = process::read(process, &mut reader);
        definitions.push((definition, reader.problems));
    }
    for (task, kind) in tasks {
        let mut reader = Reader::new(&index, &lines, &wrong_namespaces, purpose);
        let definition = global_tasks::read(task, kind, &mut reader);
        definitions.push((definition, reader.problems));
    }
    let Some((_, first)) = definitions.first_mut() else {
        // If there is no process to read, the problems of the document say why.
        let why = of_processes
            .into_iter()
            .filter(|_| wrong_namespaces.is_empty());
        return Err(of_document.into_iter().chain(why).collect());
    };
    first.splice(0..0, of_document.into_iter().chain(of_processes));
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    if definitions
        .iter()
        .any(|(_, problems)| problems.iter().any(is_error))
    {
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
        let name = root.tag_name().name();
        let namespace = root.tag_name().namespace();
        let written = namespace.map_or("no namespace".to_owned(), |namespace| {
            format!("the namespace {namespace}")
        });
        let message = format!(
            "expected the root element `definitions` in the namespace of BPMN 2.0, \
            {BPMN_NAMESPACE}, but got `{name}` in {written}{}; export the model as BPMN 2.0",
            xml::format_of(name, namespace.unwrap_or_default())
                .map_or_else(String::new, |format| format!(", which is {format}"))
        );
        return Err(Problem::error("", "not_bpmn", message));
    }
    if root
        .descendants()
        .any(|node| node.ancestors().nth(MAX_XML_DEPTH).is_some())
    {
        let message = format!(
            "expected at most {MAX_XML_DEPTH} levels of elements, but the document is deeper; \
            flatten it"
        );
        return Err(Problem::error("", "too_deep", message));
    }
    Ok(())
}

fn unreadable(error: &Error) -> Problem {
    match error {
        Error::DtdDetected => Problem::error(
            "",
            "dtd_refused",
            "expected no entities of the document's own, but its DOCTYPE declares some; write out \
            their values, and remove it",
        ),
        Error::NodesLimitReached => Problem::error(
            "",
            "too_large",
            format!(
                "expected at most {MAX_XML_NODES} XML nodes, but there are more; split the model"
            ),
        ),
        Error::UnknownNamespace(prefix, at) => {
            let namespace = xml::usual_namespace(prefix).unwrap_or("…");
            let message = format!(
                "expected every prefix to be declared, but `{prefix}` at line {}, column {} is \
                not; add xmlns:{prefix}=\"{namespace}\" to the root element",
                at.row, at.col
            );
            Problem::error("", "invalid_xml", message)
        }
        other => Problem::error(
            "",
            "invalid_xml",
            format!("expected well-formed XML, but {other}; correct it there"),
        ),
    }
}

/// Whether the node is the BPMN element with that name.
fn is_bpmn(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element()
        && node.tag_name().namespace() == Some(BPMN_NAMESPACE)
        && node.tag_name().name() == name
}

/// Names of the event definitions that a kind of event may contain, such as `timerEventDefinition`;
/// `begins` says whether it begins an event subprocess. A start event of a process may contain a
/// timer, too, which is its schedule.
pub fn event_definitions(kind: ElementType, begins: bool) -> Vec<&'static str> {
    let mut names = events::definitions(kind, begins).to_vec();
    if kind == ElementType::StartEvent && !begins {
        names.push(events::TIMER);
    }
    names
}

#[cfg(test)]
mod tests;
