//! Which actions that can be gone back to stand where that is not possible.
//!
//! Where it is not: `loops`, `ad_hoc`, `compensation`.

use std::collections::HashMap;

use crate::model::{
    action::Action,
    definition::{FlowNode, ProcessDefinition},
};

/// A node, an action of it that can be gone back to, and what it lies in.
pub(super) type BackStep<'a> = (&'a FlowNode, &'a Action, &'a FlowNode);

/// The nodes with an action that can be gone back to, with the innermost of the node itself and the
/// subprocesses around it of which `is_closed` says that it cannot be; it is given the node, too.
pub(super) fn in_closed<'a>(
    definition: &'a ProcessDefinition,
    is_closed: impl Fn(&FlowNode, &FlowNode) -> bool,
) -> Vec<BackStep<'a>> {
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let found = definition.nodes.iter().filter_map(|node| {
        let action = node.actions.iter().find(|action| action.allow_back)?;
        // As many steps as there are scopes: `scopes` reports those that lie in themselves.
        let mut around = std::iter::successors(Some(node), |node| {
            nodes.get(node.scope.as_deref()?).copied()
        })
        .take(nodes.len());
        let outer = around.find(|outer| is_closed(outer, node))?;
        Some((node, action, outer))
    });
    found.collect()
}
