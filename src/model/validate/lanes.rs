//! Lanes: their nodes and roles, and that a node is in one lane, or in lanes that contain each
//! other.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::{
    limits::LANE_DEPTH,
    model::definition::{Lane, LaneTree, ProcessDefinition},
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let nodes: HashSet<&str> = definition
        .nodes
        .iter()
        .map(|node| node.id.as_str())
        .collect();
    let lanes = LaneTree::new(&definition.lanes);
    let mut holder: HashMap<&str, &Lane> = HashMap::new();
    for lane in &definition.lanes {
        check_parent(lane, &lanes, report);
        for role in [&lane.view, &lane.execute, &lane.assign, &lane.hold]
            .into_iter()
            .flatten()
            .flatten()
        {
            report.name(&lane.id, "role", role);
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (place, node) in (1..).zip(lane.nodes.iter().map(String::as_str)) {
            if let Some(first) = places.insert(node, place) {
                let message = format!(
                    "expected a node once in a lane, but `{node}` is number {first} and number \
                    {place} of lane `{}`; remove it once",
                    lane.id
                );
                report.error(node, "several_lanes", message);
                continue;
            }
            if !nodes.contains(node) {
                let message = format!(
                    "expected a node of the process, but `{node}` is not one; remove it from the lane"
                );
                report.error(&lane.id, "unknown_node", message);
                continue;
            }
            let other = *holder.entry(node).or_insert(lane);
            if lies_in(lane, other, &lanes) {
                holder.insert(node, lane);
            } else if !lies_in(other, lane, &lanes) {
                let message = format!(
                    "expected a node in one lane, but `{node}` is in lane `{}` and in lane `{}`; \
                    remove it from one",
                    other.id, lane.id
                );
                report.error(node, "several_lanes", message);
            }
        }
    }
}

/// Whether a lane equals another one or is within it.
fn lies_in<'a>(lane: &'a Lane, other: &Lane, lanes: &LaneTree<'a>) -> bool {
    std::iter::once(lane)
        .chain(lanes.around(lane))
        .any(|around| around.id == other.id)
}

fn check_parent<'a>(lane: &'a Lane, lanes: &LaneTree<'a>, report: &mut Report) {
    let Some(parent) = &lane.parent else { return };
    if lanes.get(parent).is_none() {
        let message =
            format!("expected `parent` to name a lane, but `{parent}` is not one; correct it");
        report.error(&lane.id, "unknown_lane", message);
    } else if lanes.around(lane).any(|around| around.id == lane.id) {
        report.error(
            &lane.id,
            "nested_parent",
            "expected lanes to contain other lanes only, but this one contains itself; correct \
            `parent`",
        );
    } else if lanes.around(lane).count() > LANE_DEPTH {
        let message = format!(
            "expected at most {LANE_DEPTH} lanes around a lane, but this one is in more; use fewer \
            levels"
        );
        report.error(&lane.id, "too_deep", message);
    }
}
