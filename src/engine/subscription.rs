//! Subscriptions: what is waited for besides work. An intermediate catch event waits for its own
//! event, an activity for those of its boundary events, a scope for the start events of its event
//! subprocesses. They are opened together when the element or scope begins, and are gone with it;
//! those who bring messages and signals are told of both.
//!
//! Not here: what is sent (`publishing`); errors and escalations, which are not waited for but
//! thrown (`throwing`); what is open
//! (`state::subscription`).

use std::sync::Arc;

use serde_json::Value;

use super::{
    command::{TakeMessage, TimerKey},
    context::{STOPPED, Step},
    correlation::{CorrelationNote, EventDelivery},
    elements::boundary_event,
    guards, publishing,
    record::{Record, Status, Subscriber, Subscription},
    rejection::{Rejection, RejectionKind},
    state::OpenSubscription,
};
use crate::model::{
    executable::ExecutableNode,
    ids::ElementKey,
    node_kind::{EventDefinition, NodeKind, TimerDefinition},
    timer_cycle::Occurrences,
};

/// Incident of an element that waits for a time which cannot be read off the data. A retry reads it
/// again.
const UNREADABLE: &str = "timer_error";
/// The same for a message or signal: its name or its key cannot be read off the data.
const NO_CORRELATION: &str = "subscription_error";

/// The node of an event, and what is waited for.
type Waited = (Arc<str>, Subscription);

/// Opens what an element waits for, once. `false` when that is not possible.
pub(super) fn open(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    if step
        .state
        .element(key)
        .is_none_or(|element| element.has_subscribed())
    {
        return true;
    }
    let attached = node
        .boundary_events
        .iter()
        .filter_map(|event| step.process.node(event));
    // A boundary event is waited for by its activity, and passed when it is activated itself.
    let own = Some(node).filter(|node| !matches!(node.kind, NodeKind::Boundary { .. }));
    let events: Vec<&ExecutableNode> = own.into_iter().chain(attached).collect();
    open_all(step, Subscriber::Element(key), &events, key)
}

/// Opens what somebody waits for at these nodes. `false` when that is not possible, which is an
/// incident of the element `told`.
fn open_all(
    step: &mut Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
    told: ElementKey,
) -> bool {
    match subscriptions(step, by, events) {
        Ok(subscriptions) if subscriptions.is_empty() => true,
        Ok(subscriptions) => {
            step.record(Record::SubscriptionsOpened {
                by,
                subscriptions: subscriptions.clone(),
            });
            let opened = step.state.subscriptions(by);
            let timers: Vec<_> = opened
                .into_iter()
                .flat_map(|open| open.timers(element_of(by)))
                .collect();
            for timer in timers {
                step.set_timer(timer.due, timer.key);
            }
            for (node, subscription) in subscriptions {
                if let Some(correlation) = subscription.correlation() {
                    let process = step.process.definition.id.as_str().into();
                    let note = CorrelationNote::Opened { by, node, process };
                    step.notify(correlation, note);
                }
            }
            true
        }
        Err(unreadable) => {
            step.incident(told, unreadable.code, unreadable.sentence, None);
            false
        }
    }
}

/// Closes what an element still waits for, by itself and as a scope, as it is about to be left or
/// ended; its other timers, too.
pub(super) fn close(step: &mut Step<'_>, key: ElementKey) {
    let timers = step.state.element(key).map(|element| element.timers(key));
    for timer in timers.into_iter().flatten() {
        step.clear_timer(timer.key);
    }
    close_by(step, Subscriber::Element(key));
    close_by(step, Subscriber::Scope(Some(key)));
}

/// Tells those who bring messages and signals that somebody waits for none any more.
pub(super) fn close_by(step: &mut Step<'_>, by: Subscriber) {
    let open = step.state.subscriptions(by).into_iter();
    let told: Vec<_> = open
        .flat_map(|open| open.iter())
        .filter_map(|(node, open)| Some((node.clone(), open.subscription().correlation()?)))
        .collect();
    for (node, correlation) in told {
        let note = CorrelationNote::Settled {
            by,
            node,
            taken: None,
            stays_open: false,
        };
        step.notify(correlation, note);
    }
}

/// What cannot be read off the data.
struct Unreadable {
    /// Of the incident.
    code: &'static str,
    sentence: String,
}

/// What these nodes wait for; else the event that cannot be read, and why.
fn subscriptions(
    step: &Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
) -> Result<Vec<Waited>, Unreadable> {
    let mut found = Vec::new();
    for event in events {
        let Some(definition) = waits_for(event) else {
            continue;
        };
        let subscription =
            subscription(step, by, definition).map_err(|(code, what, sentence)| {
                let sentence = format!("the {what} of '{}': {sentence}", event.id);
                Unreadable { code, sentence }
            })?;
        found.extend(subscription.map(|subscription| (event.id.clone(), subscription)));
    }
    Ok(found)
}

/// What an event waits for; `None` for what waits for nothing. Else the incident's code, what
/// cannot be read, and why.
fn subscription(
    step: &Step<'_>,
    by: Subscriber,
    event: &EventDefinition,
) -> Result<Option<Subscription>, (&'static str, &'static str, String)> {
    let element = element_of(by);
    let opened = match event {
        EventDefinition::Timer(timer) => {
            timer_subscription(step, by, timer).map_err(|error| (UNREADABLE, "timer", error))?
        }
        EventDefinition::Message(message) => {
            let read = publishing::correlation_of_message(step, element, message);
            Subscription::to(read.map_err(|error| (NO_CORRELATION, "message", error))?)
        }
        EventDefinition::Signal(signal) => {
            let read = publishing::correlation_of_signal(step, element, signal);
            Subscription::to(read.map_err(|error| (NO_CORRELATION, "signal", error))?)
        }
        EventDefinition::None
        | EventDefinition::Error(_)
        | EventDefinition::Escalation(_)
        | EventDefinition::Link
        | EventDefinition::Compensation(_)
        | EventDefinition::Cancel
        | EventDefinition::Terminate => {
            return Ok(None);
        }
    };
    Ok(Some(opened))
}

/// The event that a node waits for, or that is waited for at it.
fn waits_for(node: &ExecutableNode) -> Option<&EventDefinition> {
    match &node.kind {
        NodeKind::Catch(definition)
        | NodeKind::Boundary {
            event: definition, ..
        } => Some(definition),
        NodeKind::Start(_)
        | NodeKind::End(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => None,
    }
}

/// The element that waits, or that is the scope that does; `None` for the instance.
fn element_of(by: Subscriber) -> Option<ElementKey> {
    match by {
        Subscriber::Element(element) => Some(element),
        Subscriber::Scope(scope) => scope,
    }
}

/// Who waits for the event of a node, when an element does or the instance itself.
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

fn timer_subscription(
    step: &Step<'_>,
    by: Subscriber,
    timer: &TimerDefinition,
) -> Result<Subscription, String> {
    let mend = "correct the data (patch) and retry";
    let variables = step.state.variables(element_of(by));
    let rendered = timer.text().render(variables, &step.builtins())?;
    let text = match rendered {
        Value::String(text) => text,
        other => {
            return Err(format!(
                "expected a text that says when, but got {other}; {mend}"
            ));
        }
    };
    let occurrences = timer
        .occurrences(&text)
        .map_err(|error| format!("{}; {mend}", error.trim_end_matches("; correct it")))?;
    let due = match &occurrences {
        // A date that has passed is due at once.
        Occurrences::At(time) => Some((*time).max(step.now)),
        Occurrences::Cron(..)
        | Occurrences::Interval(_)
        | Occurrences::After(..)
        | Occurrences::Startup => occurrences.first(step.now),
    };
    let due =
        due.ok_or_else(|| format!("expected a time that comes, but `{text}` never does; {mend}"))?;
    Ok(Subscription::Timer {
        due,
        text: text.into(),
    })
}

/// A timer event is due. Nothing when nobody waits for it, or for another occurrence.
pub(super) fn fire_timer(step: &mut Step<'_>, timer: &TimerKey, event: &str) {
    let Some(node) = step.process.node(event) else {
        return;
    };
    let Some(by) = subscriber(node, timer.element) else {
        return;
    };
    let open = step
        .state
        .subscriptions(by)
        .and_then(|open| open.get(event))
        .filter(|open| open.occurrence() == timer.occurrence);
    let Some(remains) = open.map(|open| remains(step, node, open)) else {
        return;
    };
    step.clear_timer(timer.clone());
    if let Some(due) = remains.as_ref().and_then(Subscription::due) {
        let key = TimerKey::event(timer.element, event, timer.occurrence + 1);
        step.set_timer(due, key);
    }
    trigger(step, by, node, remains);
}

/// A message or signal comes to who waits for it, at most once for each delivery. On hold it is
/// kept until the instance goes on; nothing when nobody waits for it any more.
pub(super) fn deliver(step: &mut Step<'_>, delivery: EventDelivery) {
    let waits = step
        .state
        .subscriptions(delivery.by)
        .and_then(|open| open.get(&delivery.node))
        .is_some_and(|open| open.subscription().is_new(delivery.number));
    if !waits {
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
        node,
        number,
        data,
    } = delivery;
    take(step, by, &node, Some(number), data);
}

/// A client sends a message to this instance: who has waited longest for it gets it.
///
/// # Errors
/// A caller who may only watch; an instance that has ended or is on hold; nobody who waits for it.
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
            let asked = correlation_key.as_deref();
            **waited == *name && (asked.is_none() || key.as_deref() == asked)
        }
        Subscription::Timer { .. } | Subscription::Signal { .. } => false,
    };
    let waiting = step.state.all_subscriptions().find_map(|(by, open)| {
        let mut all = open.iter();
        let (node, _) = all.find(|(_, open)| fits(open.subscription()))?;
        Some((by, node.clone()))
    });
    let Some((by, node)) = waiting else {
        let with_key = correlation_key
            .map(|key| format!(" with correlation key '{key}'"))
            .unwrap_or_default();
        let sentence = format!(
            "expected an element that waits for message '{name}'{with_key}, but none of this \
            instance does"
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    };
    take(step, by, &node, None, data);
    Ok(())
}

/// A message or signal is taken, with what it brings.
fn take(step: &mut Step<'_>, by: Subscriber, event: &str, delivery: Option<u64>, data: Value) {
    let open = step
        .state
        .subscriptions(by)
        .and_then(|open| open.get(event));
    let (Some(subscription), Some(node)) = (
        open.map(OpenSubscription::subscription),
        step.process.node(event),
    ) else {
        return;
    };
    let remains =
        (!interrupts(node)).then(|| subscription.having_taken(delivery.unwrap_or_default()));
    let stays_open = remains.is_some();
    if let Some(correlation) = subscription
        .correlation()
        .filter(|_| delivery.is_some() || !stays_open)
    {
        let note = CorrelationNote::Settled {
            by,
            node: node.id.clone(),
            taken: delivery,
            stays_open,
        };
        step.notify(correlation, note);
    }
    step.merge(element_of(by), data);
    trigger(step, by, node, remains);
}

/// An event that somebody waits for has come. What remains is waited for from now on.
pub(super) fn trigger(
    step: &mut Step<'_>,
    by: Subscriber,
    node: &ExecutableNode,
    remains: Option<Subscription>,
) {
    step.record(Record::SubscriptionTriggered {
        by,
        node: node.id.clone(),
        remains,
    });
    let interrupts = interrupts(node);
    match (by, &node.kind) {
        (Subscriber::Element(element), NodeKind::Boundary { .. }) => {
            if interrupts || has_room(step, element, &node.id) {
                boundary_event::trigger(step, element, &node.id, interrupts);
            }
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
        (Subscriber::Scope(_), _) => {}
    }
}

/// Whether another element may become active beside an activity. What comes again by itself must
/// not gather: without room it is passed over, which is an incident of the activity.
pub(super) fn has_room(step: &mut Step<'_>, activity: ElementKey, event: &str) -> bool {
    let most = step.limits.active_elements;
    if step.state.active_count() < most {
        return true;
    }
    let code = STOPPED[1];
    let is_told = step.state.element(activity).is_some_and(|element| {
        element
            .incidents()
            .iter()
            .any(|incident| incident.code == code)
    });
    if !is_told {
        let sentence = format!(
            "expected at most {most} active elements, but there are as many, so '{event}' was \
            passed over. Retry when others have gone on"
        );
        step.incident(activity, code, sentence, None);
    }
    false
}

/// Whether an event is waited for once: it ends who waits for it, or lets that go on.
fn interrupts(node: &ExecutableNode) -> bool {
    match &node.kind {
        NodeKind::Boundary { interrupting, .. } => *interrupting,
        NodeKind::Start(_)
        | NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => true,
    }
}

/// What is waited for once an event has come.
fn remains(
    step: &Step<'_>,
    node: &ExecutableNode,
    open: &OpenSubscription,
) -> Option<Subscription> {
    if interrupts(node) {
        return None;
    }
    match (open.subscription(), waits_for(node)?) {
        (Subscription::Timer { text, .. }, EventDefinition::Timer(timer)) => {
            let next = timer.occurrences(text).ok()?.next(step.now, open.since())?;
            Some(Subscription::Timer {
                due: next,
                text: text.clone(),
            })
        }
        (subscription @ (Subscription::Message { .. } | Subscription::Signal { .. }), _) => {
            Some(subscription.clone())
        }
        (Subscription::Timer { .. }, _) => None,
    }
}
