//! The surroundings of the nodes of a definition: their flows, boundary events, lanes and scopes.

use std::{collections::HashMap, sync::Arc};

use crate::model::{
    definition::{ElementType, FlowNode, Lane, LaneTree, ProcessDefinition, SequenceFlow},
    entry_points::EntryPoints,
    mapping::DataObject,
};

/// Start events by the scope that contains their event subprocess.
type StartsByScope<'a> = HashMap<Option<&'a str>, Vec<&'a str>>;

/// What belongs to each node, by id; computed once, so that a deploy takes time proportional to its
/// size.
pub(super) struct Surroundings<'a> {
    pub(super) outgoing: HashMap<&'a str, Vec<&'a SequenceFlow>>,
    pub(super) incoming: HashMap<&'a str, Vec<&'a SequenceFlow>>,
    pub(super) attached: HashMap<&'a str, Vec<&'a FlowNode>>,
    lanes: HashMap<&'a str, usize>,
    pub(super) entry_points: EntryPoints<'a>,
    scopes: HashMap<&'a str, &'a str>,
    /// The data objects in each embedded subprocess.
    pub(super) data_objects: HashMap<&'a str, Vec<&'a DataObject>>,
    /// The start events of event subprocesses, by the scope that contains these.
    event_subprocess_starts: StartsByScope<'a>,
    /// The event subprocesses that compensate the subprocess around them, by that subprocess.
    pub(super) compensations: HashMap<&'a str, &'a str>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(definition: &'a ProcessDefinition, links: &'a [SequenceFlow]) -> Self {
        let (mut outgoing, mut incoming, mut attached) =
            (HashMap::new(), HashMap::new(), HashMap::new());
        for flow in definition.flows.iter().chain(links) {
            outgoing
                .entry(flow.source.as_str())
                .or_insert_with(Vec::new)
                .push(flow);
            incoming
                .entry(flow.target.as_str())
                .or_insert_with(Vec::new)
                .push(flow);
        }
        for node in &definition.nodes {
            if let Some(activity) = node.attached_to.as_deref() {
                attached.entry(activity).or_insert_with(Vec::new).push(node);
            }
        }
        let mut data_objects = HashMap::new();
        for object in &definition.data_objects {
            if let Some(scope) = object.scope.as_deref() {
                data_objects
                    .entry(scope)
                    .or_insert_with(Vec::new)
                    .push(object);
            }
        }
        let (event_subprocess_starts, compensations) = event_subprocesses(definition);
        Self {
            outgoing,
            incoming,
            attached,
            data_objects,
            lanes: innermost_lanes(&definition.lanes),
            entry_points: EntryPoints::of(definition),
            event_subprocess_starts,
            compensations,
            scopes: definition
                .nodes
                .iter()
                .filter_map(|node| Some((node.id.as_str(), node.scope.as_deref()?)))
                .collect(),
        }
    }

    /// The start events of the event subprocesses in a scope.
    pub(super) fn event_subprocess_starts(&self, scope: Option<&str>) -> Vec<Arc<str>> {
        let starts = self
            .event_subprocess_starts
            .get(&scope)
            .into_iter()
            .flatten();
        starts.map(|start| Arc::from(*start)).collect()
    }

    /// The lane of a node: its own, otherwise that of the subprocess around it.
    pub(super) fn lane(&self, node: &str) -> Option<usize> {
        // At most as many steps as there are scopes: `validate` lets none contain itself.
        std::iter::successors(Some(node), |node| self.scopes.get(node).copied())
            .find_map(|node| self.lanes.get(node).copied())
    }
}

/// The innermost lane of each node: of the lanes that contain it, the one around which there are
/// most lanes.
fn innermost_lanes(lanes: &[Lane]) -> HashMap<&str, usize> {
    let tree = LaneTree::new(lanes);
    let mut found: HashMap<&str, (usize, usize)> = HashMap::new();
    for (index, lane) in lanes.iter().enumerate() {
        let depth = tree.around(lane).count();
        for node in &lane.nodes {
            let place = found.entry(node).or_insert((depth, index));
            *place = (*place).max((depth, index));
        }
    }
    found
        .into_iter()
        .map(|(node, (_, index))| (node, index))
        .collect()
}

/// The start events of event subprocesses by the enclosing scope, and those event subprocesses that
/// start by compensation, by the enclosing subprocess.
fn event_subprocesses(definition: &ProcessDefinition) -> (StartsByScope<'_>, HashMap<&str, &str>) {
    let starts: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .filter(|node| node.kind == ElementType::StartEvent)
        .filter_map(|node| Some((node.scope.as_deref()?, node)))
        .collect();
    let (mut event_subprocess_starts, mut compensations) = (HashMap::new(), HashMap::new());
    for subprocess in definition
        .nodes
        .iter()
        .filter(|node| node.triggered_by_event)
    {
        let Some(start) = starts.get(subprocess.id.as_str()) else {
            continue;
        };
        let around = subprocess.scope.as_deref();
        if start.is_compensation() {
            compensations.extend(around.map(|around| (around, subprocess.id.as_str())));
        } else {
            let of_scope: &mut Vec<&str> = event_subprocess_starts.entry(around).or_default();
            of_scope.push(&start.id);
        }
    }
    (event_subprocess_starts, compensations)
}
