//! The events an instance waits for, as operators see them.
//!
//! Not here: the list of timers of a tenant (`timers`).

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    engine::{
        correlation::Correlation,
        record::Subscriber,
        state::{OpenSubscription, Subscriptions},
    },
    model::ids::InstanceKey,
};

/// An event that is waited for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionEntry {
    kind: EventKind,
    /// The node of the event: the element's own, a boundary event of it, an event behind it, or the
    /// start event of an event subprocess.
    node: String,
    /// The element that waits, or in which the event subprocess lies; none for one of the process
    /// itself.
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
    /// When the time comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    due_at: Option<String>,
    /// Since when it is waited for.
    #[schema(format = DateTime)]
    since: String,
}

/// What kind of event it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum EventKind {
    Timer,
    Message,
    Signal,
    /// A condition on the data.
    Conditional,
}

/// What an instance waits for, by its elements in order of activation.
pub fn entries(
    instance: InstanceKey,
    subscriptions: &[(Subscriber, Subscriptions)],
) -> Vec<SubscriptionEntry> {
    let all = subscriptions
        .iter()
        .flat_map(|(by, open)| open.iter().map(move |(node, open)| (*by, node, open)));
    all.map(|(by, node, open)| entry(instance, by, node, open))
        .collect()
}

fn entry(
    instance: InstanceKey,
    by: Subscriber,
    node: &str,
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
            (None, None) => EventKind::Conditional,
        },
        node: node.to_owned(),
        element: element.map(|element| element.wire(instance)),
        name: correlation.as_ref().map(|to| to.name().to_string()),
        correlation_key: correlation
            .as_ref()
            .and_then(|to| Some(to.key()?.to_string())),
        due_at: due.map(|due| due.to_string()),
        since: open.since().to_string(),
    }
}
