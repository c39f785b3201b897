//! Activities that run more than once. The element instance of such a node is a whole: a scope that
//! does no work itself. Its iterations are element instances of the same node in that scope, each
//! with its variables, actions, assignee, child and incidents. The boundary events of the activity
//! belong to the whole.
//!
//! Iterations begin one by one, each when the previous one has stopped moving. One step begins only
//! a limited number, as it blocks everything else on its thread; the others begin in steps that the
//! instance requests by a message to itself.
//!
//! `multi_instance` and `standard` have the two kinds of loops, `iteration` a single iteration,
//! `turn` the limit of one step, `state::loop_state` the state of a whole.

pub(super) mod iteration;
mod multi_instance;
mod standard;
mod turn;

use serde_json::{Map, Value};

use self::iteration::{COLLECTION, CONDITION, RESULT, Verdict};
use super::{
    compensation, conditions,
    context::Step,
    guards::require_execute,
    quotas,
    record::{LoopRecord, Status},
    rejection::Rejection,
    state::ElementInstance,
    throwing,
};
use crate::model::{
    executable::ExecutableNode,
    ids::ElementKey,
    loop_characteristics::{IterationEvent, LOOP_COUNTER, Loop, ThrownBy},
};

/// Continues a whole as far as possible. `true` once every iteration has ended and the results are
/// merged.
pub(super) fn advance(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    match &node.looping {
        None => true,
        Some(Loop::MultiInstance(multiple)) => multi_instance::advance(step, key, node, multiple),
        Some(Loop::Standard {
            conditional,
            test_before,
            maximum,
        }) => standard::advance(step, key, node, (*conditional, *test_before), *maximum),
    }
}

/// The consequences for its whole when an iteration is about to be left; `None` when these cannot
/// be evaluated, which is an incident. Other elements, and iterations being compensated, have none.
pub(super) fn verdict(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> Option<Verdict> {
    let element = step.state.element(key);
    let element = element.filter(|_| !compensation::is_undoing(step, key, node));
    let iteration = element.and_then(ElementInstance::loop_counter);
    match (&node.looping, iteration) {
        (Some(Loop::MultiInstance(multiple)), Some(_)) => {
            match multi_instance::verdict(step, key, node, multiple) {
                Ok(verdict) => Some(verdict),
                Err((code, sentence)) => {
                    step.incident(key, code, sentence, None);
                    None
                }
            }
        }
        _ => Some(Verdict::default()),
    }
}

/// An iteration has been left: its whole continues, unless an event thrown by it ends the whole.
pub(super) fn iteration_left(
    step: &mut Step<'_>,
    whole: ElementKey,
    node: &ExecutableNode,
    iteration: u32,
    verdict: Verdict,
) {
    if let Some(result) = verdict.result {
        step.record_loop(LoopRecord::Result {
            element: whole,
            iteration,
            result,
        });
    }
    throw(step, whole, node, iteration, &verdict.fulfilled);
    conditions::mark(step, whole);
    if !step.is_whole(whole)
        || !step
            .state
            .element(whole)
            .is_some_and(ElementInstance::is_active)
    {
        return;
    }
    if verdict.stops {
        step.record_loop(LoopRecord::Stopped { element: whole });
        step.empty(Some(whole));
    }
    step.queue(whole);
}

/// Throws the events of an activity for a completed iteration; `fulfilled` are the conditions that
/// are true.
fn throw(
    step: &mut Step<'_>,
    whole: ElementKey,
    node: &ExecutableNode,
    iteration: u32,
    fulfilled: &[String],
) {
    let Some(Loop::MultiInstance(multiple)) = &node.looping else {
        return;
    };
    let nothing = Map::new();
    let Some(state) = iteration::state(step, whole) else {
        return;
    };
    let completed = state.completed();
    // For these two the standard defines the data (BPMN 2.0.2, 13.3.7).
    let mut counters = state.counters(0);
    counters.insert(LOOP_COUNTER.to_owned(), iteration.into());
    let is_thrown = |by: &ThrownBy| match by {
        ThrownBy::Each => Some(&counters),
        ThrownBy::First => (completed == 1).then_some(&counters),
        ThrownBy::Condition(id) => fulfilled.contains(id).then_some(&nothing),
    };
    let thrown = multiple
        .thrown
        .iter()
        .filter_map(|thrown| Some((&thrown.events, is_thrown(&thrown.by)?)));
    for (event, data) in thrown.flat_map(|(events, data)| events.iter().map(move |it| (it, data))) {
        // A previous event may have ended the whole.
        let element = step.state.element(whole);
        if !element.is_some_and(ElementInstance::is_active) {
            return;
        }
        match event {
            IterationEvent::Signal(name) => {
                throwing::throw_signal(step, name, Value::Object(data.clone()));
            }
            IterationEvent::Escalation(code) => {
                throwing::throw_escalation(step, whole, Some(whole), code, Map::new());
            }
        }
    }
}

/// Whether the incident of an iteration that could not be evaluated when it was left is skipped: it
/// then ends without a result and stops nothing.
pub(super) fn is_left_out(element: &ElementInstance) -> bool {
    element.loop_counter().is_some()
        && element
            .incidents()
            .iter()
            .any(|incident| [CONDITION, RESULT].contains(&&*incident.code))
}

/// Whether skipping the incident of a whole leaves out the iterations that have not begun.
pub(super) fn stops_by_skip(element: &ElementInstance) -> bool {
    let mut incidents = element.incidents().iter();
    incidents.any(|incident| [COLLECTION, CONDITION, quotas::CHILDREN].contains(&&*incident.code))
}

/// The elements whose incidents a retry or a skip of an element concerns: its own, otherwise those
/// of the iterations of a whole, as far as the caller may act there.
///
/// # Errors
/// The caller may act at none of them.
pub(super) fn with_incidents(
    step: &Step<'_>,
    key: ElementKey,
) -> Result<Vec<ElementKey>, Rejection> {
    let has_incidents = |element: &ElementInstance| !element.incidents().is_empty();
    if !step.is_whole(key) || step.state.element(key).is_some_and(has_incidents) {
        require_execute(step, key)?;
        return Ok(vec![key]);
    }
    let iterations = step
        .state
        .active()
        .filter(|(_, element)| element.scope() == Some(key) && has_incidents(element))
        .map(|(key, _)| key);
    let (mut open, mut refusal) = (Vec::new(), None);
    for iteration in iterations {
        match require_execute(step, iteration) {
            Ok(()) => open.push(iteration),
            Err(rejection) => refusal = refusal.or(Some(rejection)),
        }
    }
    match refusal {
        Some(rejection) if open.is_empty() => Err(rejection),
        _ if open.is_empty() => {
            require_execute(step, key)?;
            Ok(vec![key])
        }
        _ => Ok(open),
    }
}

/// Lets a whole begin more iterations, at the message that it has sent for that. Does nothing on
/// hold; `unhold` continues.
pub(super) fn begin_more(step: &mut Step<'_>, key: ElementKey, turn: u32) {
    let begins = step.is_whole(key)
        && step
            .state
            .element(key)
            .is_some_and(ElementInstance::is_active);
    if begins && step.state.status() == Status::Started {
        step.turn = turn;
        step.queue(key);
    }
}
