//! Events with several definitions. For most kinds one definition has to occur, and the
//! subscriptions of the others are closed; for a parallel event every definition has to occur, in
//! any order, before the event is triggered.
//!
//! `throwing` and `publishing` handle events that throw several definitions.
//!
//! # Rationale
//!
//! **A definition of a parallel event that has occurred has no subscription until the event is
//! triggered.** The standard does not say what happens to a second message meanwhile: here it goes
//! to other subscribers, or is stored for its time to live. So no messages accumulate.

use super::{
    command::TimerKey,
    context::Step,
    correlation_notes,
    record::{MultipleRecord, Record, Subscription},
    state::OpenSubscription,
    subscriber::Subscriber,
};
use crate::model::{
    event_definition::EventRef, executable::ExecutableNode, node_kind::ExecutableEventDefinition,
};

/// Handles the occurrence of one definition of an event. Returns `false` when other definitions
/// have to occur, too.
pub(super) fn occurs(
    step: &mut Step<'_>,
    by: Subscriber,
    node: &ExecutableNode,
    event: &EventRef,
    again: Option<&Subscription>,
) -> bool {
    if !node.kind.awaited().is_some_and(|event| event.is_parallel()) {
        return true;
    }
    record(
        step,
        MultipleRecord::Occurred {
            by,
            event: event.clone(),
            again: again.cloned(),
        },
    );
    let open = step.state.subscriptions(by);
    open.is_none_or(|open| open.open_of(&node.id).next().is_none())
}

/// Handles the subscriptions of a triggered event: those of an interrupting one are closed, those
/// of a parallel one that does not interrupt are opened again.
pub(super) fn renew_subscriptions(step: &mut Step<'_>, by: Subscriber, node: &ExecutableNode) {
    let event = node.kind.awaited().filter(|event| event.is_several());
    match event {
        None => {}
        Some(_) if node.kind.interrupts() => withdraw(step, by, node),
        Some(event) if event.is_parallel() => open_again(step, by, node),
        Some(_) => {}
    }
}

/// Closes the open subscriptions of an event.
pub(super) fn withdraw(step: &mut Step<'_>, by: Subscriber, node: &ExecutableNode) {
    let open = step.state.subscriptions(by).into_iter();
    let (mut events, mut timers, mut notified) = (Vec::new(), Vec::new(), Vec::new());
    for (event, open) in open.flat_map(|open| open.open_of(&node.id)) {
        events.push(event.clone());
        if open.due().is_some() {
            timers.push(TimerKey::event(by.element(), event, open.occurrence()));
        }
        let correlation = open.subscription().correlation();
        notified.extend(correlation.map(|correlation| (event.clone(), correlation)));
    }
    if events.is_empty() {
        return;
    }
    for timer in timers {
        step.clear_timer(timer);
    }
    correlation_notes::closed(step, by, notified);
    record(step, MultipleRecord::Closed { by, events });
}

/// Opens the subscriptions of a parallel event again; none if one of its definitions cannot occur
/// again.
fn open_again(step: &mut Step<'_>, by: Subscriber, node: &ExecutableNode) {
    let subscriptions = step.state.subscriptions(by).into_iter();
    let again: Option<Vec<_>> = subscriptions
        .flat_map(|subscriptions| subscriptions.occurred_of(&node.id))
        .map(|(event, open)| {
            let remains = remains(step, node, event, open?)?;
            Some((event.clone(), remains))
        })
        .collect();
    let Some(subscriptions) = again.filter(|again| !again.is_empty()) else {
        return;
    };
    record(
        step,
        MultipleRecord::Reopened {
            by,
            subscriptions: subscriptions.clone(),
        },
    );
    let open = step.state.subscriptions(by).into_iter();
    let timers: Vec<_> = open
        .flat_map(|open| open.open_of(&node.id))
        .filter_map(|(event, open)| {
            let timer = TimerKey::event(by.element(), event, open.occurrence());
            Some((open.due()?, timer))
        })
        .collect();
    for (due, timer) in timers {
        step.set_timer(due, timer);
    }
    correlation_notes::opened(step, by, subscriptions);
}

fn record(step: &mut Step<'_>, record: MultipleRecord) {
    step.record(Record::Multiple(Box::new(record)));
}

/// The subscription to an event after its occurrence; `None` for an interrupting event.
pub(super) fn remains(
    step: &Step<'_>,
    node: &ExecutableNode,
    event: &EventRef,
    open: &OpenSubscription,
) -> Option<Subscription> {
    if node.kind.interrupts() {
        return None;
    }
    match (
        open.subscription(),
        node.kind.awaited()?.get(event.definition)?,
    ) {
        (Subscription::Timer { text, .. }, ExecutableEventDefinition::Timer(timer)) => {
            let next = timer.occurrences(text).ok()?.next(step.now, open.since())?;
            Some(Subscription::Timer {
                due: next,
                text: text.clone(),
            })
        }
        (
            subscription @ (Subscription::Message { .. }
            | Subscription::Signal { .. }
            | Subscription::Escalation),
            _,
        ) => Some(subscription.clone()),
        (Subscription::Timer { .. }, _) => None,
        (Subscription::Conditional { .. }, _) => Some(Subscription::Conditional { holds: true }),
    }
}
