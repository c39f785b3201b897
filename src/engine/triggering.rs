//! The occurrence of an event: a timer is due, a message or signal is delivered, or a condition has
//! become true (`conditions`). The waiting element continues, or the elements behind the event are
//! activated.
//!
//! `subscription` opens and closes the subscriptions, `throwing` propagates errors and escalations.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    command::{TakeMessage, TimerKey},
    context::{STOPPED, Step},
    correlation::{CorrelationNote, EventDelivery, JoiningStart, ThrownSignal},
    elements::{boundary_event, event_sub_process},
    guards, multiple,
    record::{Record, Status, Subscription},
    rejection::{Rejection, RejectionKind},
    state::{OpenSubscription, Subscriptions},
    subscriber::Subscriber,
    subscription,
};
use crate::model::{
    event_definition::EventRef, executable::ExecutableNode, ids::ElementKey, node_kind::NodeKind,
};

/// Fires a timer event. It has no effect without a subscription, or when the subscription waits for
/// another occurrence.
pub(super) fn fire_timer(step: &mut Step<'_>, timer: &TimerKey, event: &EventRef) {
    let Some(node) = step.process.node(&event.node) else {
        return;
    };
    let Some(by) = subscriber(node, timer.element) else {
        return;
    };
    let open = step.state.subscriptions(by);
    if open
        .and_then(|open| open.get(event))
        .is_some_and(|open| open.occurrence() == timer.occurrence)
    {
        fire(step, by, node, event);
    }
}

/// Triggers an event that the instance itself observes: a timer or a condition. It has no effect
/// without a subscription.
pub(super) fn fire(step: &mut Step<'_>, by: Subscriber, node: &ExecutableNode, event: &EventRef) {
    if is_decided(step, by) {
        return;
    }
    let open = step.state.subscriptions(by);
    let Some(open) = open.and_then(|open| open.get(event)) else {
        return;
    };
    let (due, occurrence) = (open.due(), open.occurrence());
    let remains = multiple::remains(step, node, event, open);
    let timer = |occurrence| TimerKey::event(by.element(), event, occurrence);
    if due.is_some() {
        step.clear_timer(timer(occurrence));
    }
    if stays_open(node)
        && let Some(due) = remains.as_ref().and_then(Subscription::due)
    {
        step.set_timer(due, timer(occurrence + 1));
    }
    trigger(step, by, node, event, remains);
}

/// The subscriber to the event of a node, given the waiting element, or `None` for the instance.
fn subscriber(node: &ExecutableNode, element: Option<ElementKey>) -> Option<Subscriber> {
    match &node.kind {
        NodeKind::Start(_) => Some(Subscriber::Scope(element)),
        NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Boundary { .. }
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => element.map(Subscriber::Element),
    }
}

/// Whether an event-based gateway has already been triggered. It is about to complete, and later
/// events have no effect.
fn is_decided(step: &Step<'_>, by: Subscriber) -> bool {
    let Subscriber::Element(element) = by else {
        return false;
    };
    step.node_of(element)
        .is_some_and(ExecutableNode::is_event_gateway)
        && step
            .state
            .element(element)
            .is_some_and(|element| !element.triggered().is_empty())
}

/// Delivers a message or signal to the subscribed element, at most once for each delivery. While
/// the instance is on hold the delivery is stored. It has no effect when the subscription is
/// closed.
pub(super) fn deliver(step: &mut Step<'_>, delivery: EventDelivery) {
    let waits = step
        .state
        .subscriptions(delivery.by)
        .and_then(|open| open.get(&delivery.event))
        .is_some_and(|open| open.subscription().is_new(delivery.number));
    if !waits || is_decided(step, delivery.by) {
        return;
    }
    if step.state.status() == Status::OnHold {
        if !step.state.holds_delivery(&delivery) {
            step.record(Record::DeliveryHeld(Box::new(delivery)));
        }
        return;
    }
    let EventDelivery {
        by,
        event,
        number,
        data,
        trace: _,
    } = delivery;
    take(step, by, &event, Some(number), Arc::unwrap_or_clone(data));
}

/// Delivers a message that was to start an instance to the element of this instance that waits for
/// it behind the event-based gateway, at most once.
///
/// # Errors
/// No element waits for it, the instance has another business key, or another delivery to the waiting element is stored already.
pub(super) fn join(step: &mut Step<'_>, start: JoiningStart) -> Result<(), Rejection> {
    let JoiningStart {
        instance,
        correlation,
        event,
        number,
        data,
        business_key,
    } = start;
    if step.state.has_joined(instance) {
        return Ok(());
    }
    let held = step.state.held_deliveries();
    let waits = |(by, open): &(Subscriber, &Subscriptions)| {
        let open = open.get(&event).map(OpenSubscription::subscription);
        open.and_then(Subscription::correlation) == Some(correlation.clone())
            && !held.iter().any(|it| (it.by, &it.event) == (*by, &event))
    };
    let own = &step.state.head().business_key;
    let waiting = step.state.all_subscriptions().find(waits);
    let waiting = waiting.filter(|_| business_key.is_none() || business_key == *own);
    let Some((by, _)) = waiting else {
        let sentence = format!("expected an element that waits at '{event}', but none does");
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    };
    step.record(Record::MessageReceived {
        from: instance,
        number,
    });
    let trace = step.trace.clone();
    deliver(
        step,
        EventDelivery {
            by,
            event,
            number,
            data,
            trace,
        },
    );
    Ok(())
}

/// Publishes a client's message in this instance: the element that has waited longest receives it.
///
/// # Errors
/// The caller may only follow the instance, the instance has ended or is on hold, or no element
/// waits for the message.
pub(super) fn take_message(step: &mut Step<'_>, message: TakeMessage) -> Result<(), Rejection> {
    guards::require_actor(step)?;
    guards::require_moving(step)?;
    let TakeMessage {
        name,
        correlation_key,
        data,
    } = message;
    let fits = |subscription: &Subscription| match subscription {
        Subscription::Message {
            name: waited, key, ..
        } => {
            let wanted_key = correlation_key.as_deref();
            **waited == *name && (wanted_key.is_none() || key.as_deref() == wanted_key)
        }
        Subscription::Timer { .. }
        | Subscription::Conditional { .. }
        | Subscription::Escalation
        | Subscription::Signal { .. } => false,
    };
    let waiting = step.state.all_subscriptions().find_map(|(by, open)| {
        let mut all = open.iter();
        let (event, _) = all.find(|(_, open)| fits(open.subscription()))?;
        (!is_decided(step, by)).then(|| (by, event.clone()))
    });
    let Some((by, event)) = waiting else {
        let with_key = correlation_key
            .map(|key| format!(" with correlation key '{key}'"))
            .unwrap_or_default();
        let sentence = format!(
            "expected an element that waits for message '{name}'{with_key}, but none of this \
            instance does"
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    };
    take(step, by, &event, None, data);
    Ok(())
}

/// Delivers a signal thrown by this instance to its own subscribers, at once and in the order in
/// which they subscribed, including elements that were activated earlier in this step. When the
/// signal returns from its entity, their scope may already have ended.
pub(super) fn take_signal(step: &mut Step<'_>, signal: ThrownSignal) {
    subscription::open_entered(step);
    let ThrownSignal { name, data } = signal;
    let waits = |subscription: &Subscription| match subscription {
        Subscription::Signal { name: waited, .. } => *waited == name,
        Subscription::Timer { .. }
        | Subscription::Conditional { .. }
        | Subscription::Escalation
        | Subscription::Message { .. } => false,
    };
    let mut waiting = Vec::new();
    for (by, open) in step.state.all_subscriptions() {
        let fitting = open.iter().filter(|(_, open)| waits(open.subscription()));
        waiting.extend(fitting.map(|(event, _)| (by, event.clone())));
    }
    for (by, event) in waiting {
        // A subscriber before may have ended this one, or the instance.
        let is_open = step
            .state
            .subscriptions(by)
            .is_some_and(|open| open.get(&event).is_some());
        if is_open && step.state.status().is_live() && !is_decided(step, by) {
            take(step, by, &event, None, data.clone());
        }
    }
}

/// Triggers a subscription with a message or signal, and merges its data.
fn take(step: &mut Step<'_>, by: Subscriber, event: &EventRef, delivery: Option<u64>, data: Value) {
    let open = step
        .state
        .subscriptions(by)
        .and_then(|open| open.get(event));
    let (Some(subscription), Some(node)) = (
        open.map(OpenSubscription::subscription),
        step.process.node(&event.node),
    ) else {
        return;
    };
    let remains =
        (!node.kind.interrupts()).then(|| subscription.having_taken(delivery.unwrap_or_default()));
    let stays_open = stays_open(node);
    if let Some(correlation) = subscription
        .correlation()
        .filter(|_| delivery.is_some() || !stays_open)
    {
        let note = CorrelationNote::Settled {
            by,
            event: event.clone(),
            taken: delivery,
            stays_open,
        };
        step.notify(correlation, note);
    }
    match by {
        // The elements behind a boundary event do not see the variables of the activity.
        Subscriber::Element(activity) if matches!(node.kind, NodeKind::Boundary { .. }) => {
            step.merge_around(activity, None, data);
        }
        Subscriber::Element(_) | Subscriber::Scope(_) => step.merge(by.element(), data),
    }
    trigger(step, by, node, event, remains);
}

/// Triggers an escalation that is one definition of a parallel event.
pub(super) fn escalate(step: &mut Step<'_>, by: Subscriber, event: &EventRef) {
    if let Some(node) = step.process.node(&event.node) {
        let again = (!node.kind.interrupts()).then_some(Subscription::Escalation);
        trigger(step, by, node, event, again);
    }
}

/// Triggers an event; its subscription is closed or replaced.
fn trigger(
    step: &mut Step<'_>,
    by: Subscriber,
    node: &ExecutableNode,
    event: &EventRef,
    remains: Option<Subscription>,
) {
    if !multiple::occurs(step, by, node, event, remains.as_ref()) {
        return;
    }
    step.record(Record::SubscriptionTriggered {
        by,
        event: event.clone(),
        remains: remains.filter(|_| stays_open(node)),
    });
    multiple::renew_subscriptions(step, by, node);
    let interrupts = node.kind.interrupts();
    match (by, &node.kind) {
        (_, NodeKind::Boundary { .. } | NodeKind::Start(_))
            if !interrupts && !has_room(step, by, &node.id) => {}
        (Subscriber::Element(element), NodeKind::Boundary { .. }) => {
            boundary_event::trigger(step, element, &node.id, interrupts, Map::new());
        }
        (
            Subscriber::Element(element),
            NodeKind::Start(_)
            | NodeKind::End(_)
            | NodeKind::Catch(_)
            | NodeKind::Throw(_)
            | NodeKind::Task(_)
            | NodeKind::Call(_)
            | NodeKind::SubProcess(_)
            | NodeKind::Gateway(_),
        ) => step.queue(element),
        (Subscriber::Scope(scope), _) => {
            event_sub_process::begin(step, scope, node, Map::new());
        }
    }
}

/// Whether another element may be activated. Repeated occurrences must not accumulate elements:
/// without room for one, the occurrence is skipped, which is an incident of the waiting element.
pub(super) fn has_room(step: &mut Step<'_>, by: Subscriber, event: &str) -> bool {
    let maximum = step.limits.active_elements;
    if step.state.active().count() < maximum {
        return true;
    }
    if let Some(element) = reported_at(step, by) {
        let sentence = format!(
            "expected at most {maximum} active elements, but there are as many, so '{event}' was \
            passed over. Retry when others have completed"
        );
        step.stop(element, STOPPED[1], sentence);
    }
    false
}

/// The element at which an incident of a subscription is reported: the subscribed one, or for the
/// instance itself its oldest element.
pub(super) fn reported_at(step: &Step<'_>, by: Subscriber) -> Option<ElementKey> {
    by.element()
        .or_else(|| step.state.active().next().map(|(key, _)| key))
}

/// Whether an element has an incident of this code.
pub(super) fn has_incident(step: &Step<'_>, element: ElementKey, code: &str) -> bool {
    step.state.element(element).is_some_and(|element| {
        let mut incidents = element.incidents().iter();
        incidents.any(|incident| incident.code == code)
    })
}

/// Whether the subscription to an event remains open when the event occurs.
fn stays_open(node: &ExecutableNode) -> bool {
    let event = node.kind.awaited();
    !node.kind.interrupts() && !event.is_some_and(|event| event.is_parallel())
}
