//! Subscriptions: what is waited for besides work. An intermediate catch event or a receive task waits
//! for its own event, an event-based gateway for those behind it, an activity for those of its boundary events, a
//! scope for the start events of its event subprocesses. They are opened together when the element
//! or scope begins, and are gone with it; those who bring messages and signals are notified of
//! both.
//!
//! Not here: what happens when an event comes (`triggering`), when conditions are looked at
//! (`conditions`), what is sent (`publishing`); errors and escalations, which are not
//! waited for but thrown (`throwing`); what is open (`state::subscription`).
//!
//! # Why so
//!
//! **What an element waits for is opened once, in one record,** by itself and for its boundary
//! events, and gone with it; interrupting or not is a flag of the event. A timer's text is read
//! when the token comes and recorded with its value, so a cycle continues by that text.

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

/// Incidents of elements that wait for what cannot be read off the data: a time, or the name or key
/// of a message or signal. A retry reads it again.
pub(super) const UNREADABLE: [&str; 2] = ["timer_error", "subscription_error"];

/// Which definition of an event, and what is waited for.
type Waited = (EventRef, Subscription);

/// What happens to an event that cannot be read off the data.
#[derive(Clone, Copy, PartialEq)]
enum OnUnreadable {
    /// It stops the element.
    Stop,
    /// It is not waited for.
    LeaveOut,
}

/// Opens what an element waits for, at its boundary and as a scope, too, once. `false` when that is
/// not possible. Its conditions are to be looked at next.
pub(super) fn open(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    open_of(step, key, node, OnUnreadable::Stop)
}

/// Opens what an element waits for, without what cannot be read; its own event counts as come.
pub(super) fn open_readable(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    open_of(step, key, node, OnUnreadable::LeaveOut);
    let open = step.state.subscriptions(Subscriber::Element(key));
    let own = open.and_then(|open| open.open_of(&node.id).next());
    if waits_itself(node) && own.is_none() {
        pass(step, key, node);
    }
}

/// Opens what was entered in this step and comes to be looked at later: what the step throws meanwhile
/// is for it, too, whichever flow was taken first.
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

/// Lets an element continue as if its own event had come.
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

/// The events that an element waits for: its own, those of its boundary events and, as an
/// event-based gateway, those behind it.
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
    // Of what runs more than once the whole waits for what is attached, an iteration for its own.
    let own = own.filter(|_| !step.is_whole(key));
    let attached = node.boundary_events.iter().filter(|_| !is_iteration);
    // One that starts the process is begun by an event that has come.
    let awaits = node.is_event_gateway() && node.instantiates().is_none();
    let behind = node.outgoing.iter().filter(|_| awaits);
    let others = attached.chain(behind.map(|flow| &flow.target));
    own.into_iter()
        .chain(others.filter_map(|event| step.process.node(event)))
        .collect()
}

/// The events that somebody waits for: an element as [`events`] says, a scope for the starts of its
/// event subprocesses.
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

/// What is waited for by an event definition of a node; `None` for one that waits for nothing.
///
/// # Errors
/// The code of an incident, and what cannot be read.
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

/// Opens what the event subprocesses wait for in the scope that an element begins: its own, and
/// that of the instance with the first element.
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

/// Opens what somebody waits for at these nodes, once. `false` when that is not possible, which is
/// an incident of the element `told`.
fn open_all(
    step: &mut Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
    told: ElementKey,
    unreadable: OnUnreadable,
) -> bool {
    let before = step.state.subscriptions(by);
    if events.is_empty() || before.is_some_and(Subscriptions::is_opened) {
        return true;
    }
    let subscriptions = match subscriptions(step, by, events, unreadable) {
        Ok(subscriptions) => subscriptions,
        Err(Unreadable { code, sentence }) => {
            step.incident(told, code, sentence, None);
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
        // Looked at when the scope has begun.
        step.conditions.push(by);
    }
    true
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

/// Closes what the event subprocesses of a scope wait for, as it is about to be ended or taken over
/// by one of them.
pub(super) fn close_scope(step: &mut Step<'_>, scope: Option<ElementKey>) {
    let open = step.state.subscriptions(Subscriber::Scope(scope));
    let timers: Vec<_> = open
        .into_iter()
        .flat_map(|open| open.timers(scope))
        .collect();
    for timer in timers {
        step.clear_timer(timer.key);
    }
    close_by(step, Subscriber::Scope(scope));
}

/// Tells those who bring messages and signals that somebody waits for none any more.
fn close_by(step: &mut Step<'_>, by: Subscriber) {
    let open = step.state.subscriptions(by).into_iter();
    let told: Vec<_> = open
        .flat_map(|open| open.iter())
        .filter_map(|(event, open)| Some((event.clone(), open.subscription().correlation()?)))
        .collect();
    correlation_notes::closed(step, by, told);
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
    unreadable: OnUnreadable,
) -> Result<Vec<Waited>, Unreadable> {
    let mut found = Vec::new();
    let before = step.state.subscriptions(by);
    for node in events {
        let Some(awaited) = node.kind.awaited() else {
            continue;
        };
        for (of, event) in awaited.of(&node.id) {
            // One of several may have started the process.
            if before.is_some_and(|before| before.has_come(&of)) {
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

/// What is waited for by an event definition of a node; `None` for what waits for nothing. Else the
/// incident's code, what cannot be read, and why.
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

/// A message that is awaited behind the gateway that has started the instance goes by the key of the
/// message that did, unless it has one of its own.
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
        // One of several messages that start the process together has come.
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
    let mend = "correct the data (patch) and retry";
    let variables = step.state.variables(by.element());
    let rendered = timer.text().render(variables, &step.builtins())?;
    let text = match rendered {
        Value::String(text) => text,
        other => {
            return Err(format!(
                "expected a text with a time, but got {other}; {mend}"
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
        | Occurrences::Startup
        | Occurrences::Each(_) => occurrences.first(step.now),
    };
    let due =
        due.ok_or_else(|| format!("expected a time that occurs, but `{text}` never does; {mend}"))?;
    Ok(Subscription::Timer {
        due,
        text: text.into(),
    })
}
