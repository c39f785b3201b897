//! Parallel gateway: a join counts taken flows per incoming flow and fires with one of each; the
//! fork takes every flow.
//!
//! # Why so
//!
//! **A join that can never complete becomes an incident** instead of an instance that hangs.

use std::{collections::BTreeMap, sync::Arc};

use crate::{engine::record::Arrival, model::executable::ExecutableNode};

/// The oldest flow that waits, of each incoming flow; `None` while one of them has none. Looks at
/// each waiting flow once: a join may have thousands.
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
