//! Input and output mappings of elements, and data objects.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::model::{
    definition::{ElementType, FlowNode, ProcessDefinition},
    mapping::Mapping,
    path::DataPath,
};

/// The mappings of a node.
pub(super) fn check(node: &FlowNode, report: &mut Report) {
    let mappings = || node.inputs.iter().chain(&node.outputs);
    let is_gateway = matches!(
        node.kind,
        ElementType::ExclusiveGateway
            | ElementType::InclusiveGateway
            | ElementType::ParallelGateway
    );
    if is_gateway && mappings().next().is_some() {
        let message = format!(
            "expected mappings on activities and events only, but this is a {}; move them to a \
            task",
            node.kind.bpmn_name()
        );
        report.error(&node.id, "misplaced_mappings", message);
    }
    for (what, mappings) in [("input", &node.inputs), ("output", &node.outputs)] {
        for mapping in mappings {
            let takes_all = what == "output" && node.kind == ElementType::CallActivity;
            if !takes_all || !mapping.is_all() {
                check_mapping(&node.id, what, mapping, report);
            }
        }
    }
}

fn check_mapping(element: &str, what: &str, mapping: &Mapping, report: &mut Report) {
    let owner = format!("the {what} mapping to `{}`", mapping.target);
    report.hash_braces(element, &owner, &mapping.source);
    if let Err(sentence) = mapping.compile() {
        report.error(element, "invalid_mapping", format!("{owner}, {sentence}"));
    }
}

/// The data objects of a process: each a variable of its own, of an existing subprocess.
pub(super) fn check_data_objects(definition: &ProcessDefinition, report: &mut Report) {
    let kinds: HashMap<&str, ElementType> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.kind))
        .collect();
    let mut seen = HashSet::new();
    for object in &definition.data_objects {
        let variable = object.variable();
        let is_name = DataPath::parse_members(variable).is_ok_and(|path| path.depth() == 1);
        if !is_name {
            let message = format!(
                "expected the name of a data object to be that of a variable, without blanks and \
                dots, but it is `{variable}`; rename it"
            );
            report.error(&object.id, "invalid_name", message);
        }
        if !seen.insert((object.scope.as_deref(), variable)) {
            let message = format!(
                "expected one data object of each name in a process or subprocess, but there is \
                another `{variable}`; rename one"
            );
            report.error(&object.id, "duplicate_data_object", message);
        }
        if let Some(scope) = object.scope.as_deref()
            && !kinds.get(scope).is_some_and(|kind| kind.is_scope())
        {
            let message = format!(
                "expected `scope` to name a subprocess of this process, but `{scope}` is not one; \
                correct it"
            );
            report.error(&object.id, "unknown_scope", message);
        }
    }
}
