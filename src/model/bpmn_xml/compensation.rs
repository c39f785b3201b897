//! Reads which activity compensates which: the association between a compensation boundary event
//! and its handler. Other associations are notes without effect at run time.

use std::collections::{HashMap, HashSet};

use roxmltree::Node;

use super::{is_bpmn, reader::Reader, xml::filled};
use crate::model::definition::{ElementType, FlowNode, ProcessDefinition};

/// Sets for each compensation boundary event the associated activity, whichever way the association
/// points.
pub(super) fn connect(
    process: Node<'_, '_>,
    definition: &mut ProcessDefinition,
    reader: &mut Reader<'_>,
) {
    if !definition.nodes.iter().any(is_event) {
        return;
    }
    let associated = associations(process);
    let known: HashSet<String> = definition
        .nodes
        .iter()
        .filter(|node| node.kind != ElementType::BoundaryEvent)
        .map(|node| node.id.clone())
        .collect();
    for event in definition.nodes.iter_mut().filter(|node| is_event(node)) {
        let others = associated.get(event.id.as_str());
        let mut handlers = others
            .into_iter()
            .flatten()
            .filter(|other| known.contains(**other));
        event.compensation_handler = handlers.next().map(|id| (*id).to_owned());
        if let Some(second) = handlers.next() {
            let message = format!(
                "expected one association with an activity that compensates, but there is one with \
                `{}` and one with `{second}`; remove one",
                event.compensation_handler.as_deref().unwrap_or_default()
            );
            reader.error(&event.id, "ambiguous_compensation", message);
        }
    }
}

fn is_event(node: &FlowNode) -> bool {
    node.kind == ElementType::BoundaryEvent && node.is_compensation()
}

/// The associations of each id, in both directions.
fn associations<'a>(process: Node<'a, '_>) -> HashMap<&'a str, Vec<&'a str>> {
    let local = |node: Node<'a, '_>, name| {
        let written = filled(node.attribute(name))?;
        Some(written.rsplit(':').next().unwrap_or(written))
    };
    let mut found: HashMap<&str, Vec<&str>> = HashMap::new();
    let all = process
        .descendants()
        .filter(|node| is_bpmn(*node, "association"));
    for association in all {
        if let (Some(source), Some(target)) = (
            local(association, "sourceRef"),
            local(association, "targetRef"),
        ) {
            found.entry(source).or_default().push(target);
            found.entry(target).or_default().push(source);
        }
    }
    found
}
