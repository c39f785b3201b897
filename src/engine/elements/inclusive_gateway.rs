//! Inclusive gateway: a split takes every flow whose condition is true, otherwise the default flow;
//! a join waits for every flow on which a token can still arrive.
//!
//! A join continues (BPMN 2.0.2, 13.4.3) when it has a flow, and every token that could still reach
//! one of its missing flows without passing the join could also reach a flow that it already has.
//! This is evaluated when nothing else can move (`late_join`).
//!
//! # Rationale
//!
//! **An inclusive join is evaluated when nothing else moves.** The standard's rule depends on where
//! every token could still go. It is evaluated at the end of a step, only in models with such a
//! join, and only for the nodes that have a token. The nodes from which a join can be reached are
//! computed once (`model::upstream`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{exclusive_gateway, own_work::Own};
use crate::{
    engine::{context::Step, record::Arrival},
    model::{executable::ExecutableNode, ids::ElementKey, node_kind::NodeKind},
};

/// The flows taken by a split, or by an activity or event. For the latter two, flows without
/// condition do not suppress the default flow, which is taken unless a condition is true (BPMN
/// 2.0.2, 10.3: `default` of an activity).
pub(super) fn choose<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Own<'a> {
    let is_gateway = matches!(node.kind, NodeKind::Gateway(_));
    let (mut taken, mut is_chosen) = (Vec::new(), false);
    for (index, flow) in node.outgoing.iter().enumerate() {
        if Some(index) == node.default_flow {
            continue;
        }
        let goes = if flow.conditional {
            exclusive_gateway::is_true(step, key, flow)
        } else {
            Some(true)
        };
        match goes {
            Some(true) => {
                is_chosen |= is_gateway || flow.conditional;
                taken.push(flow);
            }
            Some(false) => {}
            None => return Own::Waiting,
        }
    }
    if taken.is_empty() {
        return exclusive_gateway::otherwise(step, key, node);
    }
    if !is_chosen {
        taken.extend(node.default_flow.map(|index| &node.outgoing[index]));
    }
    Own::Done(taken)
}

/// Lets a join continue that waits for no further flow. Returns `false` if it waits.
pub(super) fn release(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
) -> bool {
    let held = step.state.scope(scope);
    let arrivals = held.map_or(&[][..], |held| held.waiting_at(&join.id));
    if arrivals.is_empty() || waits(step, scope, join, arrivals) {
        return false;
    }
    let arrivals = first_of_each(join, arrivals);
    step.activate(&join.id, scope, arrivals);
    true
}

/// The oldest waiting token of each incoming flow that has one.
pub(super) fn first_of_each(join: &ExecutableNode, arrivals: &[Arrival]) -> Vec<Arrival> {
    let mut first: HashMap<&str, &Arrival> = HashMap::new();
    for arrival in arrivals {
        first.entry(&arrival.flow).or_insert(arrival);
    }
    let flows = join.incoming.iter();
    flows
        .filter_map(|flow| first.get(&**flow).copied().cloned())
        .collect()
}

/// Whether a token can still arrive on a missing flow.
pub(super) fn waits(
    step: &Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
    arrivals: &[Arrival],
) -> bool {
    let there: Vec<&Arc<str>> = arrivals.iter().map(|arrival| &arrival.flow).collect();
    waits_beside(step, scope, join, &there)
}

/// Whether a token can still arrive on a flow other than those that have one.
pub(super) fn waits_beside(
    step: &Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
    there: &[&Arc<str>],
) -> bool {
    let there: HashSet<_> = there.iter().collect();
    let incoming = join.incoming.iter();
    let is_there: Vec<bool> = incoming.map(|flow| there.contains(&flow)).collect();
    if !is_there.contains(&false) {
        return false;
    }
    let upstream = step.process.upstream(join);
    let reaches_missing = |node: &Arc<str>| {
        let reached = step.process.place_of(node).into_iter().flat_map(|place| {
            let flows = upstream.iter().zip(&is_there);
            flows.filter_map(move |(nodes, is_there)| nodes.contains(place).then_some(*is_there))
        });
        // A token that could also reach a flow which the join already has does not hold it up.
        let mut reached = reached.peekable();
        reached.peek().is_some() && !reached.any(|is_there| is_there)
    };
    let at_elements = step
        .state
        .active()
        .filter(|(_, element)| element.scope() == scope)
        .map(|(_, element)| element.node());
    let at_joins = step
        .state
        .scope(scope)
        .into_iter()
        .flat_map(|scope| scope.waiting())
        .map(|(node, _)| node);
    at_elements.chain(at_joins).any(reaches_missing)
}
