//! Parallel gateway: a join counts taken flows per incoming flow and fires with one of each; the
//! fork takes every flow.

use crate::{
    engine::{
        record::{Arrival, Record},
        step::Step,
    },
    model::{executable::ExecutableNode, ids::ElementKey},
};

/// A flow reached a join: it waits there until every incoming flow has one.
pub(super) fn arrive(
    step: &mut Step<'_>,
    node: &ExecutableNode,
    scope: Option<ElementKey>,
    arrival: Arrival,
) {
    step.record(Record::FlowArrived {
        scope,
        node: node.id.clone(),
        arrival,
    });
    let waiting = step
        .state
        .scope(scope)
        .map_or(&[][..], |scope| scope.waiting_at(&node.id));
    let first_of_each: Option<Vec<Arrival>> = node
        .incoming
        .iter()
        .map(|flow| {
            waiting
                .iter()
                .find(|arrival| arrival.flow == *flow)
                .cloned()
        })
        .collect();
    if let Some(arrivals) = first_of_each {
        step.activate(&node.id, scope, arrivals);
    }
}
