//! Joins that are evaluated when nothing else moves: those of inclusive and complex gateways, which
//! wait for tokens that can still arrive.
//!
//! `inclusive_gateway` and `complex_gateway` say when each continues. Joins of parallel gateways
//! continue as soon as each flow has a token (`transition`).

use std::{collections::BTreeSet, sync::Arc};

use super::{complex_gateway, inclusive_gateway};
use crate::{
    engine::{context::Step, state::Scope},
    model::ids::ElementKey,
};

/// Lets one join in any scope continue that waits for no further flow. Returns `false` when there
/// is none.
pub(in crate::engine) fn release_any(step: &mut Step<'_>) -> bool {
    if !step.process.has_late_join() {
        return false;
    }
    let scopes: Vec<ElementKey> = step
        .state
        .active()
        .map(|(key, _)| key)
        .filter(|&key| step.state.scope(Some(key)).is_some())
        .collect();
    scopes
        .into_iter()
        .map(Some)
        .chain([None])
        .any(|scope| release(step, scope))
}

/// Lets one join of this scope continue that waits for no further flow. Returns `false` when there
/// is none.
pub(in crate::engine) fn release(step: &mut Step<'_>, scope: Option<ElementKey>) -> bool {
    let held = step.state.scope(scope);
    let joins: BTreeSet<Arc<str>> = held
        .into_iter()
        .flat_map(|held| {
            let waiting = Scope::waiting(held).map(|(node, _)| node);
            waiting.chain(held.all_resetting()).cloned()
        })
        .collect();
    let mut joins = joins.iter().filter_map(|join| step.process.node(join));
    joins.any(|join| {
        if join.is_complex_join() {
            complex_gateway::release(step, scope, join)
        } else {
            join.is_inclusive_join() && inclusive_gateway::release(step, scope, join)
        }
    })
}
