//! The events that an instance waits for, for operators.
//!
//! Not here: the list of a tenant's timers (`timers`).

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    engine::{
        correlation::Correlation,
        record::{Subscriber, Subscription},
        state::{OpenSubscription, Subscriptions},
    },
    model::{event_definition::EventRef, ids::InstanceKey},
};

/// An event that an instance waits for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionEntry {
    kind: EventKind,
    /// The node of the event: the element's own, a boundary event of it, an event behind it, or the
    /// start event of an event subprocess.
    node: String,
    /// The index of the event definition at the node, from 0 in document order; absent for the
    /// first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    definition: Option<u8>,
    /// The element that waits, or that contains the event subprocess; absent for an event
    /// subprocess of the process itself.
    #[schema(required)]
    element: Option<String>,
    /// Name of the message or signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Correlation key of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    correlation_key: Option<String>,
    /// When it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    due_at: Option<String>,
    /// Since when the instance waits for it.
    #[schema(format = DateTime)]
    since: String,
}

/// The kind of an event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum EventKind {
    Timer,
    Message,
    Signal,
    /// A condition on the data.
    Conditional,
    /// An escalation, as one of several event definitions that have to occur together.
    Escalation,
}

/// The events that an instance waits for, by its elements in order of activation.
pub fn entries(
    instance: InstanceKey,
    subscriptions: &[(Subscriber, Subscriptions)],
) -> Vec<SubscriptionEntry> {
    let all = subscriptions
        .iter()
        .flat_map(|(by, open)| open.iter().map(move |(event, open)| (*by, event, open)));
    all.map(|(by, event, open)| entry(instance, by, event, open))
        .collect()
}

fn entry(
    instance: InstanceKey,
    by: Subscriber,
    event: &EventRef,
    open: &OpenSubscription,
) -> SubscriptionEntry {
    let (correlation, due) = (open.subscription().correlation(), open.due());
    let element = match by {
        Subscriber::Element(element) => Some(element),
        Subscriber::Scope(scope) => scope,
    };
    SubscriptionEntry {
        kind: match (&correlation, due) {
            (Some(Correlation::Message { .. }), _) => EventKind::Message,
            (Some(Correlation::Signal { .. }), _) => EventKind::Signal,
            (None, Some(_)) => EventKind::Timer,
            (None, None) => match open.subscription() {
                Subscription::Escalation => EventKind::Escalation,
                Subscription::Timer { .. }
                | Subscription::Conditional { .. }
                | Subscription::Message { .. }
                | Subscription::Signal { .. } => EventKind::Conditional,
            },
        },
        node: event.node.to_string(),
        definition: Some(event.definition).filter(|place| *place > 0),
        element: element.map(|element| element.wire(instance)),
        name: correlation.as_ref().map(|to| to.name().to_string()),
        correlation_key: correlation
            .as_ref()
            .and_then(|to| Some(to.key()?.to_string())),
        due_at: due.map(|due| due.to_string()),
        since: open.since().to_string(),
    }
}
