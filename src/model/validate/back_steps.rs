//! Finds actions with back steps in places where back steps are not possible.
//!
//! Which places: `loops`, `ad_hoc`, `compensation`.

use std::collections::HashMap;

use crate::model::{
    action::Action,
    definition::{FlowNode, ProcessDefinition},
};

/// A node, an action of it that allows back steps, and the closed element.
pub(super) type BackStep<'a> = (&'a FlowNode, &'a Action, &'a FlowNode);

/// The nodes with an action that allows back steps, each with the innermost closed element: the
/// node itself or a subprocess around it for which `is_closed` is true, given that element and the
/// node.
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
        // At most as many steps as there are scopes: `scopes` reports those that contain
        // themselves.
        let mut around = std::iter::successors(Some(node), |node| {
            nodes.get(node.scope.as_deref()?).copied()
        })
        .take(nodes.len());
        let outer = around.find(|outer| is_closed(outer, node))?;
        Some((node, action, outer))
    });
    found.collect()
}
