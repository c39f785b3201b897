//! Where a process and its embedded subprocesses begin: at their start events; if there are none,
//! at all nodes that no sequence flow enters (BPMN 2.0.2, 13.3.1). Receive tasks and event-based
//! gateways that start the process count as start events.
//!
//! Not here: which of several start events is used by a start (`engine::elements::start_event`).

use std::collections::{HashMap, HashSet};

use super::definition::{ElementType, FlowNode, ProcessDefinition};

/// The entry points of each scope; `None` is the process itself.
pub struct EntryPoints<'a>(HashMap<Option<&'a str>, PathEntry<'a>>);

/// The entry points of one scope.
#[derive(Default)]
struct PathEntry<'a> {
    starts: Vec<&'a FlowNode>,
    /// Nodes that no flow enters and that do not wait for a trigger.
    unentered: Vec<&'a FlowNode>,
}

impl<'a> EntryPoints<'a> {
    /// Finds them, in time proportional to the size of the definition.
    pub fn of(definition: &'a ProcessDefinition) -> Self {
        let entered: HashSet<&str> = definition
            .flows
            .iter()
            .map(|flow| flow.target.as_str())
            .collect();
        let mut scopes: HashMap<Option<&str>, PathEntry<'_>> = HashMap::new();
        for node in &definition.nodes {
            let entry = scopes.entry(node.scope.as_deref()).or_default();
            if node.kind == ElementType::StartEvent || node.instantiate {
                entry.starts.push(node);
            } else if begins_unentered(node) && !entered.contains(node.id.as_str()) {
                entry.unentered.push(node);
            }
        }
        Self(scopes)
    }

    /// The start events of a scope, and other nodes that start the process.
    pub fn starts(&self, scope: Option<&'a str>) -> &[&'a FlowNode] {
        self.0.get(&scope).map_or(&[], |entry| &entry.starts)
    }

    /// The nodes at which a scope without a start begins; empty if it has one.
    pub fn implicit(&self, scope: Option<&'a str>) -> &[&'a FlowNode] {
        match self.0.get(&scope) {
            Some(entry) if entry.starts.is_empty() => &entry.unentered,
            _ => &[],
        }
    }

    /// The entry points of a scope: its starts, otherwise its implicit starts.
    pub fn all(&self, scope: Option<&'a str>) -> &[&'a FlowNode] {
        match self.starts(scope) {
            [] => self.implicit(scope),
            starts => starts,
        }
    }
}

/// Whether a node that no flow enters begins with its scope: all except those that wait for a
/// trigger.
fn begins_unentered(node: &FlowNode) -> bool {
    match node.kind {
        // A compensation handler is no part of the normal flow.
        _ if node.for_compensation => false,
        ElementType::BoundaryEvent => false,
        // It is reached from its throw events.
        ElementType::IntermediateCatchEvent => node.link().is_none(),
        _ => !node.triggered_by_event,
    }
}
