//! The propagation of errors and escalations: they go from the throwing element or scope outwards.
//! In each scope an event subprocess may catch them, then a boundary event. Within one scope or
//! activity, an event with the specific code takes precedence over the catch-all.
//!
//! What no scope catches leaves the instance. An error fails it, and its end notifies the parent;
//! an escalation is sent to the parent, and the instance continues. In the parent, both propagate
//! from the element that waits for this instance (`subprocess`). A signal does not propagate: every
//! subscriber receives it.
//!
//! What catches something owns its code as a variable, and what the throwing event owned, so that its
//! mappings, and the elements of an event subprocess, can read it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    cancellation, compensation,
    context::Step,
    correlation::{Correlation, CorrelationNote, ThrownSignal},
    elements::{boundary_event, end_event, event_sub_process},
    instance_message::InstanceMessage,
    looping::iteration::whole_of,
    record::{Record, Status},
    subscriber::Subscriber,
    triggering,
};
use crate::model::{
    catch::{Catch, ERROR_CODE, ERROR_MESSAGE, ESCALATION_CODE, Thrown},
    evaluator::BpmnError,
    ids::ElementKey,
    node_kind::{EventDefinitions, ExecutableEventDefinition},
};

/// Throws the events of an end or intermediate throw event of this scope, once that has completed:
/// all of its definitions, those that end the scope last. Returns `false` when the scope has ended,
/// or an interrupting event subprocess has started in it.
pub(super) fn throw(
    step: &mut Step<'_>,
    (by, scope): (ElementKey, Option<ElementKey>),
    event: &EventDefinitions,
    signals: Vec<ThrownSignal>,
    carried: &Map<String, Value>,
) -> bool {
    for signal in signals {
        triggering::take_signal(step, signal);
    }
    let last = event.iter().filter(|event| event.ends_scope());
    let first = event.iter().filter(|event| !event.ends_scope());
    for event in first.chain(last) {
        if !is_active(step, scope) {
            return false;
        }
        throw_one(step, by, scope, event, carried);
    }
    is_active(step, scope)
}

fn throw_one(
    step: &mut Step<'_>,
    by: ElementKey,
    scope: Option<ElementKey>,
    event: &ExecutableEventDefinition,
    carried: &Map<String, Value>,
) {
    match event {
        ExecutableEventDefinition::Error(code) => {
            // No event names the empty code, so only a catch-all catches it.
            let any = code.as_deref().unwrap_or_default();
            if !throw_error(step, scope, Some(any), carried.clone()) {
                match code {
                    Some(code) => step.fail(code, carried.clone()),
                    None => step.end(Status::Failed),
                }
            }
        }
        ExecutableEventDefinition::Escalation(Some(code)) => {
            throw_escalation(step, by, scope, code, carried.clone())
        }
        ExecutableEventDefinition::Terminate => end_event::terminate(step, scope),
        ExecutableEventDefinition::Cancel => cancellation::cancel(step, scope),
        // Compensation has ended before; a link is a flow; messages and signals have been published
        // before (`publishing`).
        ExecutableEventDefinition::Escalation(None)
        | ExecutableEventDefinition::Compensation(_)
        | ExecutableEventDefinition::Link
        | ExecutableEventDefinition::Message(_)
        | ExecutableEventDefinition::Signal(_)
        | ExecutableEventDefinition::Conditional
        | ExecutableEventDefinition::Timer(_) => {}
    }
}

/// Whether a scope is active, and no interrupting event subprocess has started in it.
fn is_active(step: &Step<'_>, scope: Option<ElementKey>) -> bool {
    let is_taken_over = |scope| {
        let held = step.state.scope(scope);
        held.is_some_and(|held| held.is_interrupted())
    };
    step.state.status().is_live()
        && !is_taken_over(scope)
        && scope.is_none_or(|key| {
            step.state
                .element(key)
                .is_some_and(|element| element.is_active())
        })
}

/// Throws a signal that is no event of the model: to others, and to the subscribers in the
/// instance.
pub(super) fn throw_signal(step: &mut Step<'_>, name: &Arc<str>, data: Value) {
    let name = name.clone();
    let note = CorrelationNote::Published {
        data: data.clone(),
        until: None,
        business_key: None,
    };
    step.notify(Correlation::Signal { name: name.clone() }, note);
    triggering::take_signal(step, ThrownSignal { name, data });
}

/// Lets an element, or a scope around it, catch an error; the activity of the catching event is
/// terminated. Returns `false` when nothing catches it. A failure without a code is caught at the
/// element itself only.
pub(super) fn throw_error(
    step: &mut Step<'_>,
    first: Option<ElementKey>,
    code: Option<&str>,
    carried: Map<String, Value>,
) -> bool {
    let Some((by, catch)) = catcher(step, first, Thrown::Error(code)) else {
        return false;
    };
    reach(step, by, catch, of_error(code, carried));
    true
}

/// Whether something catches an error with this code, from an element outwards.
pub(super) fn is_error_caught(step: &Step<'_>, first: ElementKey, code: &str) -> bool {
    catcher(step, Some(first), Thrown::Error(Some(code))).is_some()
}

/// The variables that what catches an error owns: what it carries, with its code and message.
fn of_error(code: Option<&str>, mut carried: Map<String, Value>) -> Map<String, Value> {
    let code = code.filter(|code| !code.is_empty());
    carried.insert(ERROR_CODE.to_owned(), code.into());
    carried.entry(ERROR_MESSAGE).or_insert(Value::Null);
    carried
}

/// Throws the error of an element's action. An uncaught error fails the instance.
pub(super) fn throw_from(step: &mut Step<'_>, element: ElementKey, error: BpmnError) {
    let BpmnError { code, message } = error;
    let found = catcher(step, Some(element), Thrown::Error(Some(&code)));
    step.record(Record::ErrorThrown {
        element,
        code: code.clone(),
        message: message.clone(),
        caught_by: found.map(|(_, catch)| Arc::clone(&catch.event.node)),
    });
    let carried = Map::from_iter([(ERROR_MESSAGE.to_owned(), message.into())]);
    match found {
        Some((by, catch)) => reach(step, by, catch, of_error(Some(&code), carried)),
        None => step.fail(&code, carried),
    }
}

/// Triggers the event that catches.
fn reach(step: &mut Step<'_>, by: Subscriber, catch: &Catch, caught: Map<String, Value>) {
    if catch.parallel {
        return triggering::escalate(step, by, &catch.event);
    }
    match by {
        Subscriber::Element(activity) => {
            let (node, interrupts) = (&catch.event.node, catch.interrupting);
            boundary_event::trigger(step, activity, node, interrupts, caught);
        }
        Subscriber::Scope(scope) => {
            if let Some(start) = step.process.node(&catch.event.node) {
                event_sub_process::begin(step, scope, start, caught);
            }
        }
    }
}

/// Lets an element, or a scope around it, catch an escalation; otherwise it is sent to the parent.
pub(super) fn throw_escalation(
    step: &mut Step<'_>,
    by: ElementKey,
    first: Option<ElementKey>,
    code: &str,
    mut carried: Map<String, Value>,
) {
    let found = catcher(step, first, Thrown::Escalation(code));
    step.record(Record::EscalationThrown {
        element: by,
        code: code.to_owned(),
        caught_by: found.map(|(_, catch)| Arc::clone(&catch.event.node)),
    });
    match found {
        Some((by, catch)) => {
            // A child may escalate any number of times, so each start of an element is checked.
            let begins = !catch.interrupting && !catch.parallel;
            if !begins || triggering::has_room(step, by, &catch.event.node) {
                carried.insert(ESCALATION_CODE.to_owned(), code.into());
                reach(step, by, catch, carried);
            }
        }
        None => {
            let data = step.state.wants_result().then(|| step.state.data().clone());
            step.send_to_parent(InstanceMessage::Escalation {
                code: code.to_owned(),
                carried,
                data,
            });
        }
    }
}

/// The event that catches an error or escalation, searched from the inside outwards: the event
/// subprocess of a scope, or a boundary event of an activity.
fn catcher<'a>(
    step: &Step<'a>,
    first: Option<ElementKey>,
    thrown: Thrown<'_>,
) -> Option<(Subscriber, &'a Catch)> {
    // Boundary events of an activity that runs more than once belong to its whole.
    let is_iteration = |key| {
        let element = step.state.element(key);
        element.is_some_and(|element| element.loop_counter().is_some())
    };
    let at_boundary = |key: ElementKey| {
        let node = step.node_of(key).filter(|_| !is_iteration(key))?;
        let by = Subscriber::Element(key);
        let catch = node.catch(thrown, |catch| is_open(step, by, catch))?;
        // Only an error of a handler ends a cancelled transaction.
        let is_shut = compensation::is_cancelling(step, key) && !matches!(thrown, Thrown::Error(_));
        let is_closed = is_shut || compensation::is_undoing(step, key, node);
        (!is_closed).then_some((by, catch))
    };
    if matches!(thrown, Thrown::Error(None)) {
        return at_boundary(whole_of(step, first?));
    }
    let around: Vec<Option<ElementKey>> =
        std::iter::successors(first, |key| step.state.element(*key)?.scope())
            .map(Some)
            .chain([None])
            .collect();
    let mut inner = None;
    around.into_iter().find_map(|scope| {
        let from = std::mem::replace(&mut inner, scope);
        in_scope(step, scope, from, thrown).or_else(|| at_boundary(scope?))
    })
}

/// The event subprocess of a scope that catches what an element in the scope throws; `None` once an
/// interrupting one has started. An event subprocess does not catch its own throws.
fn in_scope<'a>(
    step: &Step<'a>,
    scope: Option<ElementKey>,
    from: Option<ElementKey>,
    thrown: Thrown<'_>,
) -> Option<(Subscriber, &'a Catch)> {
    step.state
        .scope(scope)
        .filter(|held| !held.is_interrupted())?;
    if scope.is_some_and(|key| step.is_whole(key)) {
        return None;
    }
    let node = scope.and_then(|key| step.node_of(key));
    // A completed subprocess that is being compensated catches nothing, nor does a cancelled
    // transaction.
    if let (Some(key), Some(node)) = (scope, node)
        && (compensation::is_undoing(step, key, node) || compensation::is_cancelling(step, key))
    {
        return None;
    }
    let starts = step
        .process
        .event_subprocess_starts(node.map(|node| &*node.id));
    let thrower = from.and_then(|key| step.node_of(key)).map(|node| &node.id);
    let catches: Vec<&Catch> = starts
        .filter(|start| start.scope.as_ref() != thrower || thrower.is_none())
        .filter_map(|start| start.start())
        .flat_map(|start| &start.catches)
        .filter(|catch| is_open(step, Subscriber::Scope(scope), catch))
        .collect();
    let catch = thrown.caught_by(&catches)?;
    Some((Subscriber::Scope(scope), catch))
}

/// Whether the event can catch now. A definition of a parallel event can only as long as its
/// subscription is open.
fn is_open(step: &Step<'_>, by: Subscriber, catch: &Catch) -> bool {
    let open = || step.state.subscriptions(by);
    !catch.parallel || open().is_some_and(|open| open.get(&catch.event).is_some())
}
