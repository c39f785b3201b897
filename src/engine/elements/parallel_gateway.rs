//! Parallel gateway: a join counts taken flows per incoming flow and fires with one of each; the
//! fork takes every flow.

use std::sync::Arc;

use crate::{engine::record::Arrival, model::executable::ExecutableNode};

/// The oldest flow that waits, of each incoming flow; `None` while one of them has none.
pub(in crate::engine) fn one_of_each(
    node: &ExecutableNode,
    waiting: &[Arrival],
) -> Option<Vec<Arrival>> {
    let oldest = |flow: &Arc<str>| {
        waiting
            .iter()
            .find(|arrival| arrival.flow == *flow)
            .cloned()
    };
    node.incoming.iter().map(oldest).collect()
}
