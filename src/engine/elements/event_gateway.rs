//! Event-based gateway: waits for the events behind it. The token continues behind the first event
//! that occurs, which does not wait again (`transition`). A gateway that starts the process begins
//! with an event that has occurred; a parallel one continues to all its events and waits for the
//! others.

use super::own_work::Own;
use crate::{
    engine::{
        context::Step,
        record::{Record, Subscriber},
    },
    model::{
        definition::EventGatewayType, event_definition::EventRef, executable::ExecutableNode,
        ids::ElementKey,
    },
};

/// The flow to the event that occurred, or all flows of a parallel gateway.
pub(super) fn choose<'a>(
    step: &Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    instantiates: Option<EventGatewayType>,
) -> Own<'a> {
    if instantiates == Some(EventGatewayType::Parallel) {
        return Own::Done(node.outgoing.iter().collect());
    }
    let first = step
        .state
        .element(key)
        .and_then(|element| element.triggered().first());
    let flow = first.and_then(|event| node.outgoing.iter().find(|flow| flow.target == *event));
    flow.map_or(Own::Waiting, |flow| Own::Done(vec![flow]))
}

/// Activates the gateway with the event behind it that has started the instance.
pub(super) fn begin(step: &mut Step<'_>, gateway: &ExecutableNode, event: &ExecutableNode) {
    let key = ElementKey(step.next_seq());
    step.activate(&gateway.id, None, Vec::new());
    step.record(Record::SubscriptionTriggered {
        by: Subscriber::Element(key),
        event: EventRef::first(&event.id),
        remains: None,
    });
}
