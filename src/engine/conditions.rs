//! Conditional events: their conditions are evaluated when their subscriptions are opened and
//! whenever data change, before anything else moves. A condition that becomes true triggers its
//! event. An event that keeps waiting is triggered again only after its condition was false.
//!
//! `elements::exclusive_gateway` evaluates the conditions of sequence flows.

use super::{
    context::Step,
    record::{Record, Status, Subscription},
    subscriber::Subscriber,
    triggering,
};
use crate::model::{evaluator::EvaluationError, event_definition::EventRef, ids::ElementKey};

/// Incident of an element that waits for a condition which cannot be evaluated. A retry evaluates
/// it again.
pub(super) const FAILED: &str = "conditional_event_error";

/// Evaluates the conditions that may have changed. Returns `false` when there are none.
pub(super) fn evaluate_changed(step: &mut Step<'_>) -> bool {
    evaluate_except(step, None)
}

/// Evaluates the conditions that may have changed, except those at the boundary of elements that are
/// about to be left.
pub(super) fn evaluate_except(step: &mut Step<'_>, left: Option<ElementKey>) -> bool {
    // `unhold` evaluates all of them.
    if step.state.status() == Status::OnHold {
        return false;
    }
    if std::mem::take(&mut step.is_data_changed) {
        let all = step.state.all_subscriptions().map(|(by, _)| by).collect();
        step.conditions = all;
    }
    let waiting = std::mem::take(&mut step.conditions);
    let is_any = !waiting.is_empty();
    for by in waiting {
        let is_left = |key: &ElementKey| left == Some(*key) || step.ended_calls.contains(key);
        if !by.element().as_ref().is_some_and(is_left) {
            evaluate(step, by);
        }
    }
    is_any
}

/// Evaluates the conditions of a subscriber.
pub(super) fn evaluate(step: &mut Step<'_>, by: Subscriber) {
    for (event, held) in waited_for(step, by) {
        let is_open = || {
            let open = step.state.subscriptions(by);
            open.is_some_and(|open| open.get(&event).is_some())
        };
        // An event before it may have ended the subscriber.
        let Some(node) = step.process.node(&event.node).filter(|_| is_open()) else {
            continue;
        };
        let variables = step.state.variables(by.element());
        let holds = step.evaluator.condition(&event.condition_id(), &variables);
        match (holds, held) {
            (Ok(true), false) => triggering::fire(step, by, node, &event),
            (Ok(false), true) => drop(step.record(Record::ConditionReset { by, event })),
            (Ok(_), _) => {}
            (Err(error), _) => fail(step, by, &event, &error),
        }
    }
}

/// The conditional events of a subscriber, and whether each was true.
fn waited_for(step: &Step<'_>, by: Subscriber) -> Vec<(EventRef, bool)> {
    let open = step.state.subscriptions(by).into_iter();
    let open = open.flat_map(|open| open.iter());
    open.filter_map(|(event, open)| match open.subscription() {
        Subscription::Conditional { holds } => Some((event.clone(), *holds)),
        Subscription::Timer { .. }
        | Subscription::Escalation
        | Subscription::Message { .. }
        | Subscription::Signal { .. } => None,
    })
    .collect()
}

/// Raises an incident for a condition that cannot be evaluated, once for each element.
fn fail(step: &mut Step<'_>, by: Subscriber, event: &EventRef, error: &EvaluationError) {
    let Some(element) = triggering::reported_at(step, by) else {
        return;
    };
    let sentence = format!("the condition of event '{event}' cannot be decided: {error}");
    if !triggering::has_incident(step, element, FAILED) {
        step.incident(element, FAILED, sentence, None);
    }
}

/// Marks the conditions of an element for evaluation, because what it owns has changed.
pub(super) fn mark(step: &mut Step<'_>, element: ElementKey) {
    let by = Subscriber::Element(element);
    if step.process.has_conditional && !step.conditions.contains(&by) {
        step.conditions.push(by);
    }
}

/// Marks all conditions for evaluation, as after a change of data.
pub(super) fn mark_all(step: &mut Step<'_>) {
    step.is_data_changed |= step.process.has_conditional;
}
