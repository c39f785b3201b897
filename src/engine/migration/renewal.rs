//! Renews the subscriptions for the target: the messages, signals, conditions and timers of its
//! events.
//!
//! A timer whose text is the same keeps its time, and a message or signal keeps its position in the
//! order of deliveries; all other subscriptions are opened again. An event that has already
//! occurred, and whose subscription was closed, is not subscribed to again. `subscription`
//! evaluates the subscriptions of an event.

use std::{collections::BTreeMap, sync::Arc};

use super::super::{
    command::TimerKey,
    context::Step,
    correlation::CorrelationNote,
    correlation_notes,
    record::{Record, RenewedSubscription, Subscription},
    state::{InstanceState, OpenSubscription, Subscriptions},
    subscriber::Subscriber,
    subscription,
};
use crate::model::{
    event_definition::EventRef,
    executable::{ExecutableNode, ExecutableProcess},
    ids::ElementKey,
};

/// The subscriptions in the source, and all events that had one.
pub(super) struct FormerSubscriptions(Vec<FormerSubscriber>);

struct FormerSubscriber {
    by: Subscriber,
    open: Subscriptions,
    /// The definitions of all events to which it has subscribed at some time.
    known: Vec<EventRef>,
}

impl FormerSubscriptions {
    pub fn of(source: &ExecutableProcess, state: &InstanceState) -> Self {
        let of_one = |(by, open): (Subscriber, &Subscriptions)| FormerSubscriber {
            by,
            open: open.clone(),
            known: known(source, state, by),
        };
        let is_over = |by: Subscriber| match by {
            Subscriber::Scope(scope) => {
                let scope = state.scope(scope);
                scope.is_some_and(|scope| scope.is_interrupted())
            }
            Subscriber::Element(_) => false,
        };
        let all = state.all_subscriptions();
        Self(all.filter(|(by, _)| !is_over(*by)).map(of_one).collect())
    }
}

/// The events of a subscriber in the source, whether they have occurred or not.
fn known(source: &ExecutableProcess, state: &InstanceState, by: Subscriber) -> Vec<EventRef> {
    let node = by
        .element()
        .and_then(|key| source.node(state.element(key)?.node()));
    let nodes: Vec<&ExecutableNode> = match by {
        Subscriber::Element(_) => {
            let Some(node) = node else { return Vec::new() };
            let behind = node.outgoing.iter().map(|flow| &flow.target);
            let others = node.boundary_events.iter().chain(behind);
            let others = others.filter_map(|id| source.node(id));
            [node].into_iter().chain(others).collect()
        }
        Subscriber::Scope(_) => source
            .event_subprocess_starts(node.map(|node| &*node.id))
            .collect(),
    };
    let events = nodes.into_iter().flat_map(|node| {
        let awaited = node.kind.awaited().into_iter();
        awaited.flat_map(|event| event.of(&node.id))
    });
    events.map(|(event, _)| event).collect()
}

/// Opens the subscriptions of the target, in the order of those in the source.
pub(super) fn renew(
    step: &mut Step<'_>,
    former: FormerSubscriptions,
    renamed: &BTreeMap<Arc<str>, Arc<str>>,
) {
    let name = |event: &EventRef| EventRef {
        definition: event.definition,
        node: renamed.get(&event.node).unwrap_or(&event.node).clone(),
    };
    for FormerSubscriber { by, open, known } in former.0 {
        let known: Vec<EventRef> = known.iter().map(name).collect();
        let before: Before = open
            .iter()
            .map(|(event, open)| (name(event), (event.clone(), open.clone())))
            .collect();
        renew_of(step, by, &known, before);
    }
}

/// The subscriptions in the source by the event in the target: the event in the source, and its
/// subscription.
type Before = BTreeMap<EventRef, (EventRef, OpenSubscription)>;

fn renew_of(step: &mut Step<'_>, by: Subscriber, known: &[EventRef], before: Before) {
    let has_occurred = |event: &EventRef| known.contains(event) && !before.contains_key(event);
    let mut renewed = Vec::new();
    let mut unreadable = None;
    for node in subscription::awaited_events(step, by) {
        let awaited = node.kind.awaited().into_iter();
        for (of, event) in awaited.flat_map(|event| event.of(&node.id)) {
            if has_occurred(&of) {
                continue;
            }
            let old = before.get(&of).map(|(_, open)| open);
            match subscription::read_one(step, by, node, event) {
                Ok(Some(new)) => renewed.push(renewal(&of, new, old)),
                Ok(None) => {}
                Err(why) => unreadable = Some(why),
            }
        }
    }
    close_old(step, by, &before, &renewed);
    // A retry evaluates all of them.
    if let Some((code, sentence)) = unreadable
        && let Some(reported_at) = by.element().or_else(|| first_active(step))
    {
        return step.incident(reported_at, code, sentence, None);
    }
    step.record(Record::SubscriptionsRenewed {
        by,
        subscriptions: renewed.clone(),
    });
    for renewed in renewed {
        let RenewedSubscription {
            event,
            subscription,
            occurrence,
            since,
        } = renewed;
        if since.is_some() && before.get(&event).is_some_and(|(old, _)| *old == event) {
            continue;
        }
        if let Some(due) = subscription.due() {
            step.set_timer(due, TimerKey::event(by.element(), &event, occurrence));
        }
        if let Some(correlation) = subscription.correlation() {
            correlation_notes::note_opened(step, by, event, correlation);
        }
    }
}

/// The subscription to an event: the previous one, if it is the same, otherwise a new one.
fn renewal(
    event: &EventRef,
    new: Subscription,
    old: Option<&OpenSubscription>,
) -> RenewedSubscription {
    let kept = old.filter(|old| is_same(old.subscription(), &new));
    RenewedSubscription {
        event: event.clone(),
        subscription: kept.map_or(new, |old| old.subscription().clone()),
        occurrence: match (kept, old) {
            (Some(kept), _) => kept.occurrence(),
            // The next number, because a timer that has already been sent has no effect then.
            (None, Some(old)) => old.occurrence() + 1,
            (None, None) => 1,
        },
        since: kept.map(OpenSubscription::since),
    }
}

fn is_same(old: &Subscription, new: &Subscription) -> bool {
    match (old, new) {
        (Subscription::Timer { text: old, .. }, Subscription::Timer { text: new, .. }) => {
            old == new
        }
        (Subscription::Conditional { .. }, Subscription::Conditional { .. })
        | (Subscription::Escalation, Subscription::Escalation) => true,
        (Subscription::Message { .. } | Subscription::Signal { .. }, _) => {
            old.correlation() == new.correlation()
        }
        (
            Subscription::Timer { .. }
            | Subscription::Conditional { .. }
            | Subscription::Escalation,
            _,
        ) => false,
    }
}

/// Closes the subscriptions that are not kept: clears their timers, and notifies the entities of
/// messages and signals.
fn close_old(
    step: &mut Step<'_>,
    by: Subscriber,
    before: &Before,
    renewed: &[RenewedSubscription],
) {
    for (event, (old_event, open)) in before {
        let is_kept = old_event == event
            && renewed
                .iter()
                .any(|renewed| renewed.event == *event && renewed.since.is_some());
        if is_kept {
            continue;
        }
        if open.due().is_some() {
            let timer = TimerKey::event(by.element(), old_event, open.occurrence());
            step.clear_timer(timer);
        }
        if let Some(correlation) = open.subscription().correlation() {
            let note = CorrelationNote::Settled {
                by,
                event: old_event.clone(),
                taken: None,
                stays_open: false,
            };
            step.notify(correlation, note);
        }
    }
}

fn first_active(step: &Step<'_>) -> Option<ElementKey> {
    let mut active = step.state.active();
    active.next().map(|(key, _)| key)
}
