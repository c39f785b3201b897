//! Link events: each throw event has one catch event of its name in its scope, and neither has a
//! flow where the link replaces one.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::model::definition::{ElementType, FlowNode, ProcessDefinition};

/// A scope and the name of a link in it.
type Link<'a> = (Option<&'a str>, &'a str);

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let throws: Vec<(Link<'_>, &FlowNode)> =
        of_kind(definition, ElementType::IntermediateThrowEvent).collect();
    let thrown: HashSet<Link<'_>> = throws.iter().map(|(link, _)| *link).collect();
    let mut catches: HashMap<Link<'_>, &str> = HashMap::new();
    for (link, catch) in of_kind(definition, ElementType::IntermediateCatchEvent) {
        if let Some(other) = catches.insert(link, &catch.id) {
            let message = format!(
                "expected one catch event of link `{}` in {}, but `{other}` and this one are; \
                rename one",
                link.1,
                place(link.0)
            );
            report.error(&catch.id, "ambiguous_link", message);
        }
        if !thrown.contains(&link) {
            let message = format!(
                "expected a throw event of link `{}` in {}, but there is none: this never runs; \
                add one, or remove it",
                link.1,
                place(link.0)
            );
            report.warning(&catch.id, "link_without_throw", message);
        }
    }
    let all_names: HashSet<&str> = catches.keys().map(|(_, name)| *name).collect();
    for ((scope, name), throw) in &throws {
        if !catches.contains_key(&(*scope, *name)) {
            let found = if all_names.contains(name) {
                "the only ones are in other subprocesses, which a link does not reach"
            } else {
                "there is none"
            };
            let message = format!(
                "expected a catch event of link `{name}` in {}, but {found}; add one",
                place(*scope)
            );
            report.error(&throw.id, "link_without_catch", message);
        }
    }
    check_flows(definition, report);
}

/// The link replaces the flow that leaves a throw event, and the one that enters a catch event.
fn check_flows(definition: &ProcessDefinition, report: &mut Report) {
    let ids = |kind| -> HashSet<&str> {
        of_kind(definition, kind)
            .map(|(_, node)| node.id.as_str())
            .collect()
    };
    let throws = ids(ElementType::IntermediateThrowEvent);
    let catches = ids(ElementType::IntermediateCatchEvent);
    for flow in &definition.flows {
        let found = if throws.contains(flow.source.as_str()) {
            Some(("leave a link throw event", "leaves", &flow.source))
        } else if catches.contains(flow.target.as_str()) {
            Some(("enter a link catch event", "enters", &flow.target))
        } else {
            None
        };
        if let Some((what, how, node)) = found {
            let message = format!(
                "expected no flow to {what}, as the link takes its place, but this one {how} \
                `{node}`; remove it"
            );
            report.error(&flow.id, "flow_at_link", message);
        }
    }
}

fn of_kind(
    definition: &ProcessDefinition,
    kind: ElementType,
) -> impl Iterator<Item = (Link<'_>, &FlowNode)> {
    let nodes = definition
        .nodes
        .iter()
        .filter(move |node| node.kind == kind);
    nodes.filter_map(|node| Some((node.link()?, node)))
}

fn place(scope: Option<&str>) -> String {
    scope.map_or("the process".to_owned(), |scope| {
        format!("subprocess `{scope}`")
    })
}
