//! Parallel gateway: a join continues with one token of each incoming flow; a fork takes every
//! flow.
//!
//! # Rationale
//!
//! **A join that can never complete is an incident**, so that the instance does not wait forever
//! unnoticed.

use std::{collections::BTreeMap, sync::Arc};

use crate::{engine::record::Arrival, model::executable::ExecutableNode};

/// The oldest waiting token of each incoming flow; `None` while one flow has none. Each token is
/// visited once, because thousands may wait at a join.
pub(in crate::engine) fn one_of_each(
    node: &ExecutableNode,
    waiting: &[Arrival],
) -> Option<Vec<Arrival>> {
    if waiting.len() < node.incoming.len() {
        return None;
    }
    let mut oldest: BTreeMap<&Arc<str>, &Arrival> = BTreeMap::new();
    for arrival in waiting {
        oldest.entry(&arrival.flow).or_insert(arrival);
    }
    let flows = node.incoming.iter();
    flows
        .map(|flow| oldest.get(flow).copied().cloned())
        .collect()
}
