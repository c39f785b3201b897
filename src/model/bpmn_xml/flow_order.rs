//! The order in which the flows of a node are evaluated and taken: that of its `outgoing` children,
//! if it has any.
//!
//! Not here: the contents of a flow (`flows`).
//!
//! # Rationale
//!
//! **The `outgoing` children decide, not the position of the flows.** In BPMN the outgoing flows of
//! a node are an ordered collection (8.4.13), so that an exclusive gateway can evaluate its
//! conditions in order (13.4.2); in XML that collection is the list of these children. Other
//! engines use the position of the flows: where that would choose another flow, a warning says so.

use std::collections::{HashMap, HashSet};

use roxmltree::Node;

use super::{
    is_bpmn, nodes,
    reader::Reader,
    xml::{self, Reference, filled, text},
};
use crate::model::definition::{ElementType, ProcessDefinition, SequenceFlow};

/// Puts the flows of each node into the order of its children; flows without a child follow in
/// document order.
pub(super) fn apply(
    process: Node<'_, '_>,
    definition: &mut ProcessDefinition,
    reader: &mut Reader<'_>,
) {
    let exclusive: HashSet<&str> = definition
        .nodes
        .iter()
        .filter(|node| node.kind == ElementType::ExclusiveGateway)
        .map(|node| &*node.id)
        .collect();
    let flows = &definition.flows;
    let mut leaving: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut known: HashMap<&str, &SequenceFlow> = HashMap::new();
    for (place, flow) in flows.iter().enumerate() {
        leaving.entry(&flow.source).or_default().push(place);
        known.entry(&flow.id).or_insert(flow);
    }
    let mut from: Vec<usize> = (0..flows.len()).collect();
    let nodes = process
        .descendants()
        .filter(|node| nodes::is_flow_node(*node));
    for node in nodes {
        let Some(id) = filled(node.attribute("id")) else {
            continue;
        };
        let ends_here = |flow: &SequenceFlow| (flow.target.clone(), "leads to");
        check(
            id,
            "incoming",
            &named(node, "incoming"),
            (&known, ends_here),
            reader,
        );
        let named = named(node, "outgoing");
        let begins_here = |flow: &SequenceFlow| (flow.source.clone(), "leaves");
        check(id, "outgoing", &named, (&known, begins_here), reader);
        let Some(places) = leaving.get(id) else {
            continue;
        };
        let ordered = order(places, &named, flows);
        if exclusive.contains(id) && ordered != *places {
            warn_of_choice(id, (places, &ordered), flows, reader);
        }
        for (place, flow) in places.iter().zip(ordered) {
            from[*place] = flow;
        }
    }
    let mut flows: Vec<Option<SequenceFlow>> = definition.flows.drain(..).map(Some).collect();
    let ordered = from.into_iter().filter_map(|place| flows[place].take());
    definition.flows = ordered.collect();
}

/// The indexes of the flows that leave a node, in the order of its children.
fn order(places: &[usize], named: &[String], flows: &[SequenceFlow]) -> Vec<usize> {
    let mut ranks: HashMap<&str, usize> = HashMap::new();
    for (rank, name) in named.iter().enumerate() {
        ranks.entry(name).or_insert(rank);
    }
    let mut ordered = places.to_vec();
    ordered.sort_by_key(|place| ranks.get(&*flows[*place].id).copied().unwrap_or(usize::MAX));
    ordered
}

/// The texts of a node's children of a kind, without prefixes.
fn named<'a>(node: Node<'a, '_>, kind: &str) -> Vec<String> {
    let children = node.children().filter(|child| is_bpmn(*child, kind));
    children
        .map(|child| {
            let written = text(child);
            match xml::reference(child, &written) {
                Reference::Here(id)
                | Reference::Undeclared(id)
                | Reference::Elsewhere { local: id, .. } => id.to_owned(),
            }
        })
        .collect()
}

/// Warns about texts that are no flows of the node; `end` returns the end of a flow that has to be
/// the node.
fn check(
    id: &str,
    kind: &str,
    named: &[String],
    (known, end): (
        &HashMap<&str, &SequenceFlow>,
        impl Fn(&SequenceFlow) -> (String, &'static str),
    ),
    reader: &mut Reader<'_>,
) {
    for name in named {
        let found = match known.get(&**name).map(|flow| end(flow)) {
            Some((end, _)) if end == id => continue,
            Some((end, verb)) => format!("that flow {verb} `{end}`"),
            None => "there is no such flow".to_owned(),
        };
        let message = format!(
            "expected `{kind}` to name a flow of `{id}`, but it names `{name}`, and {found}: the name \
            has no effect; correct or remove it"
        );
        reader.warning(id, "no_effect", message);
    }
}

/// Warns if document order, which other engines use, evaluates conditions in another order.
fn warn_of_choice(
    id: &str,
    (places, ordered): (&[usize], &[usize]),
    flows: &[SequenceFlow],
    reader: &mut Reader<'_>,
) {
    let conditional = |order: &[usize]| -> Vec<String> {
        let flows = order.iter().map(|place| &flows[*place]);
        let conditional = flows.filter(|flow| flow.condition.is_some());
        conditional.map(|flow| flow.id.clone()).collect()
    };
    let (by_place, by_name) = (conditional(places), conditional(ordered));
    if by_place != by_name {
        let message = format!(
            "expected the flows in the document in the order in which `outgoing` names them, but that is \
            {}: it decides here, while other engines ask the conditions in the order of the flows; move the \
            flows, or the names",
            by_name.join(", ")
        );
        reader.warning(id, "flow_order", message);
    }
}
