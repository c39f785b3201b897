//! Subscriptions: the events that elements and scopes wait for. An intermediate catch event or a
//! receive task waits for its own event, an event-based gateway for those behind it, an activity
//! for those of its boundary events, a scope for the start events of its event subprocesses.
//! Subscriptions are opened together when the element or scope begins, and closed when it ends; the
//! entities of messages and signals are notified of both.
//!
//! `triggering` handles the occurrence of an event, `conditions` evaluates conditional events,
//! `publishing` sends messages and signals, `throwing` throws errors and escalations, to which
//! nothing subscribes. `state::subscription` has the open subscriptions.
//!
//! # Rationale
//!
//! **An element opens its subscriptions once, in one record**, for itself and for its boundary
//! events, and they end with it. Interrupting or not is a flag of the event. The text of a timer is
//! evaluated when the token arrives, and recorded with its value, so the later occurrences of a
//! cycle use the same text.

use serde_json::Value;

use super::{
    compensation,
    context::Step,
    correlation::Correlation,
    correlation_notes, multiple, publishing,
    record::{Record, Subscription},
    state::Subscriptions,
    subscriber::Subscriber,
};
use crate::model::{
    event_definition::EventRef,
    executable::ExecutableNode,
    ids::ElementKey,
    node_kind::{ExecutableEventDefinition, NodeKind, TimerDefinition},
    timer_cycle::Occurrences,
};

/// Incidents of elements that wait for an event whose time, name or key cannot be evaluated. A
/// retry evaluates it again.
pub(super) const UNREADABLE: [&str; 2] = ["timer_error", "subscription_error"];

/// A definition of an event, and the subscription to it.
type EventSubscription = (EventRef, Subscription);

/// The treatment of an event that cannot be evaluated.
#[derive(Clone, Copy, PartialEq)]
enum OnUnreadable {
    /// Stop the element with an incident.
    Stop,
    /// Open no subscription to it.
    LeaveOut,
}

/// Opens the subscriptions of an element once: its own, those at its boundary, and those of its
/// event subprocesses. Returns `false` when that is not possible. Its conditions are evaluated
/// next.
pub(super) fn open(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    open_of(step, key, node, OnUnreadable::Stop)
}

/// Opens the subscriptions of an element, without those that cannot be evaluated. Its own event
/// counts as occurred.
pub(super) fn open_readable(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    open_of(step, key, node, OnUnreadable::LeaveOut);
    let open = step.state.subscriptions(Subscriber::Element(key));
    let own = open.and_then(|open| open.open_of(&node.id).next());
    if waits_itself(node) && own.is_none() {
        pass(step, key, node);
    }
}

/// Opens the subscriptions of elements that were activated in this step and have not been processed
/// yet. So they receive what the step throws meanwhile, whichever flow was taken first.
pub(super) fn open_entered(step: &mut Step<'_>) {
    for key in step.entered() {
        let Some(node) = step.node_of(key) else {
            continue;
        };
        let element = step.state.element(key);
        let is_free = element.is_some_and(|it| it.is_active() && it.incidents().is_empty());
        if is_free && !compensation::is_undoing(step, key, node) {
            open(step, key, node);
        }
    }
}

/// Lets an element continue as if its own event had occurred.
pub(super) fn pass(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    let by = Subscriber::Element(key);
    step.record(Record::SubscriptionTriggered {
        by,
        event: EventRef::first(&node.id),
        remains: None,
    });
    multiple::withdraw(step, by, node);
}

fn open_of(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    unreadable: OnUnreadable,
) -> bool {
    let events = events(step, key, node);
    open_all(step, Subscriber::Element(key), &events, key, unreadable)
        && open_scopes(step, key, node, unreadable)
}

/// The events that an element waits for: its own, those of its boundary events, and those behind it
/// if it is an event-based gateway.
fn events<'a>(
    step: &Step<'a>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Vec<&'a ExecutableNode> {
    let is_triggered = step
        .state
        .element(key)
        .is_none_or(|element| element.is_triggered());
    let element = step.state.element(key);
    let is_iteration = element.is_some_and(|element| element.loop_counter().is_some());
    let own = Some(node).filter(|node| waits_itself(node) && !is_triggered);
    // In a loop, the whole waits for the boundary events and each iteration for its own event.
    let own = own.filter(|_| !step.is_whole(key));
    let attached = node.boundary_events.iter().filter(|_| !is_iteration);
    // A gateway that starts the process is activated by an event that has occurred.
    let awaits = node.is_event_gateway() && node.instantiates().is_none();
    let behind = node.outgoing.iter().filter(|_| awaits);
    let others = attached.chain(behind.map(|flow| &flow.target));
    own.into_iter()
        .chain(others.filter_map(|event| step.process.node(event)))
        .collect()
}

/// The events that a subscriber waits for: an element for those of [`events`], a scope for the
/// start events of its event subprocesses.
pub(super) fn awaited_events<'a>(step: &Step<'a>, by: Subscriber) -> Vec<&'a ExecutableNode> {
    let node = by.element().and_then(|key| Some((key, step.node_of(key)?)));
    match by {
        Subscriber::Element(_) => node.map_or(Vec::new(), |(key, node)| events(step, key, node)),
        Subscriber::Scope(_) => {
            let id = node.map(|(_, node)| &*node.id);
            step.process.event_subprocess_starts(id).collect()
        }
    }
}

/// The subscription to an event definition of a node; `None` for a definition without subscription.
///
/// # Errors
/// The code of an incident, and the reason why the definition cannot be evaluated.
pub(super) fn read_one(
    step: &Step<'_>,
    by: Subscriber,
    node: &ExecutableNode,
    event: &ExecutableEventDefinition,
) -> Result<Option<Subscription>, (&'static str, String)> {
    let read = subscription(step, by, node, event);
    read.map_err(|(code, what, sentence)| {
        (code, format!("the {what} of '{}': {sentence}", node.id))
    })
}

/// Opens the subscriptions of event subprocesses in the scope that an element begins: its own
/// scope, and that of the instance for the first element.
fn open_scopes(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    unreadable: OnUnreadable,
) -> bool {
    let begins_instance = step
        .state
        .element(key)
        .is_some_and(|element| element.scope().is_none())
        && !step.process.event_subprocess_starts.is_empty();
    let scopes = [
        node.sub_process()
            .filter(|_| !step.is_whole(key))
            .map(|_| (Some(key), Some(&*node.id))),
        begins_instance.then_some((None, None)),
    ];
    scopes.into_iter().flatten().all(|(scope, id)| {
        let starts: Vec<&ExecutableNode> = step.process.event_subprocess_starts(id).collect();
        open_all(step, Subscriber::Scope(scope), &starts, key, unreadable)
    })
}

/// Opens the subscriptions to the events of these nodes, once. Returns `false` when one cannot be
/// evaluated, which is an incident of the element `reported_at`.
fn open_all(
    step: &mut Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
    reported_at: ElementKey,
    unreadable: OnUnreadable,
) -> bool {
    let before = step.state.subscriptions(by);
    if events.is_empty() || before.is_some_and(Subscriptions::is_opened) {
        return true;
    }
    let subscriptions = match subscriptions(step, by, events, unreadable) {
        Ok(subscriptions) => subscriptions,
        Err(Unreadable { code, sentence }) => {
            step.incident(reported_at, code, sentence, None);
            return false;
        }
    };
    if subscriptions.is_empty() && unreadable == OnUnreadable::Stop {
        return true;
    }
    step.record(Record::SubscriptionsOpened {
        by,
        subscriptions: subscriptions.clone(),
    });
    let opened = step.state.subscriptions(by);
    let timers: Vec<_> = opened
        .into_iter()
        .flat_map(|open| open.timers(by.element()))
        .collect();
    for timer in timers {
        step.set_timer(timer.due, timer.key);
    }
    correlation_notes::opened(step, by, subscriptions);
    if let Subscriber::Scope(_) = by {
        // Evaluated when the scope has begun.
        step.conditions.push(by);
    }
    true
}

/// Closes the subscriptions of an element and of its scope, and its other timers, before it
/// completes or is terminated.
pub(super) fn close(step: &mut Step<'_>, key: ElementKey) {
    let timers = step.state.element(key).map(|element| element.timers(key));
    for timer in timers.into_iter().flatten() {
        step.clear_timer(timer.key);
    }
    close_by(step, Subscriber::Element(key));
    close_by(step, Subscriber::Scope(Some(key)));
}

/// Closes the subscriptions of event subprocesses in a scope, before the scope ends or an
/// interrupting one of them starts.
pub(super) fn close_scope(step: &mut Step<'_>, scope: Option<ElementKey>) {
    close_events(step, Subscriber::Scope(scope));
}

/// Closes what an element or a scope subscribes to, while it continues.
pub(super) fn close_events(step: &mut Step<'_>, by: Subscriber) {
    let owner = match by {
        Subscriber::Element(key) => Some(key),
        Subscriber::Scope(scope) => scope,
    };
    let open = step.state.subscriptions(by);
    let timers: Vec<_> = open
        .into_iter()
        .flat_map(|open| open.timers(owner))
        .collect();
    for timer in timers {
        step.clear_timer(timer.key);
    }
    close_by(step, by);
}

/// Notifies the entities of messages and signals that a subscriber waits for them no longer.
fn close_by(step: &mut Step<'_>, by: Subscriber) {
    let open = step.state.subscriptions(by).into_iter();
    let notified: Vec<_> = open
        .flat_map(|open| open.iter())
        .filter_map(|(event, open)| Some((event.clone(), open.subscription().correlation()?)))
        .collect();
    correlation_notes::closed(step, by, notified);
}

/// An event that cannot be evaluated.
struct Unreadable {
    /// The code of the incident.
    code: &'static str,
    sentence: String,
}

/// The subscriptions to the events of these nodes.
///
/// # Errors
///
/// The event that cannot be evaluated, and why.
fn subscriptions(
    step: &Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
    unreadable: OnUnreadable,
) -> Result<Vec<EventSubscription>, Unreadable> {
    let mut found = Vec::new();
    let before = step.state.subscriptions(by);
    for node in events {
        let Some(awaited) = node.kind.awaited() else {
            continue;
        };
        for (of, event) in awaited.of(&node.id) {
            // One of several definitions may have occurred at the start of the process.
            if before.is_some_and(|before| before.has_occurred(&of)) {
                continue;
            }
            match read_one(step, by, node, event) {
                Ok(subscription) => {
                    found.extend(subscription.map(|subscription| (of, subscription)));
                }
                Err(_) if unreadable == OnUnreadable::LeaveOut => {}
                Err((code, sentence)) => return Err(Unreadable { code, sentence }),
            }
        }
    }
    Ok(found)
}

/// The subscription to an event definition of a node; `None` for a definition without subscription.
///
/// # Errors
///
/// The code of an incident, and why the definition cannot be evaluated.
fn subscription(
    step: &Step<'_>,
    by: Subscriber,
    node: &ExecutableNode,
    event: &ExecutableEventDefinition,
) -> Result<Option<Subscription>, (&'static str, &'static str, String)> {
    let element = by.element();
    let is_parallel = node.kind.awaited().is_some_and(|event| event.is_parallel());
    let opened = match event {
        ExecutableEventDefinition::Timer(timer) => {
            timer_subscription(step, by, timer).map_err(|error| (UNREADABLE[0], "timer", error))?
        }
        ExecutableEventDefinition::Message(message) => {
            let read = publishing::correlation_of_message(step, element, message);
            let read = read.map_err(|error| (UNREADABLE[1], "message", error))?;
            Subscription::to(with_key_of_start(step, node, read))
        }
        ExecutableEventDefinition::Signal(signal) => {
            let read = publishing::correlation_of_signal(step, element, signal);
            Subscription::to(read.map_err(|error| (UNREADABLE[1], "signal", error))?)
        }
        ExecutableEventDefinition::Conditional => Subscription::Conditional { holds: false },
        ExecutableEventDefinition::Escalation(_) if is_parallel => Subscription::Escalation,
        ExecutableEventDefinition::Error(_)
        | ExecutableEventDefinition::Escalation(_)
        | ExecutableEventDefinition::Link
        | ExecutableEventDefinition::Compensation(_)
        | ExecutableEventDefinition::Cancel
        | ExecutableEventDefinition::Terminate => {
            return Ok(None);
        }
    };
    Ok(Some(opened))
}

/// A message behind the gateway that started the instance is correlated by the key of the message
/// that started it, unless it has a key of its own.
fn with_key_of_start(step: &Step<'_>, node: &ExecutableNode, read: Correlation) -> Correlation {
    match read {
        Correlation::Message { name, key: None }
            if node.start().is_some() || step.process.instantiating_gateway(node).is_some() =>
        {
            let start = step.state.head().correlation.as_ref();
            Correlation::Message {
                name,
                key: start.and_then(Correlation::key).cloned(),
            }
        }
        read => read,
    }
}

/// Whether a node waits for an event of its own.
pub(super) fn waits_itself(node: &ExecutableNode) -> bool {
    let Some(event) = node.kind.awaited() else {
        return false;
    };
    match &node.kind {
        NodeKind::Boundary { .. } => false,
        // One of several messages that start the process together has occurred.
        NodeKind::Start(_) => node.scope.is_none() && event.is_parallel(),
        NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => true,
    }
}

fn timer_subscription(
    step: &Step<'_>,
    by: Subscriber,
    timer: &TimerDefinition,
) -> Result<Subscription, String> {
    let fix = "correct the data (patch) and retry";
    let variables = step.state.variables(by.element());
    let rendered = timer.text().render(variables, &step.builtins())?;
    let text = match rendered {
        Value::String(text) => text,
        other => {
            return Err(format!(
                "expected a text with a time, but got {other}; {fix}"
            ));
        }
    };
    let occurrences = timer
        .occurrences(&text)
        .map_err(|error| format!("{}; {fix}", error.trim_end_matches("; correct it")))?;
    let due = match &occurrences {
        // A date in the past is due at once.
        Occurrences::At(time) => Some((*time).max(step.now)),
        Occurrences::Cron(..)
        | Occurrences::Interval(_)
        | Occurrences::After(..)
        | Occurrences::Startup
        | Occurrences::Each(_) => occurrences.first(step.now),
    };
    let due =
        due.ok_or_else(|| format!("expected a time that occurs, but `{text}` never does; {fix}"))?;
    Ok(Subscription::Timer {
        due,
        text: text.into(),
    })
}
