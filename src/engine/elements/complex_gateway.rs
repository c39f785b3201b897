//! Complex gateway (BPMN 2.0.2, 13.4.5). A split is that of an inclusive gateway. A join continues
//! once its activation condition is true, which reads the data and the number of tokens at its
//! incoming flows. Then it waits for the other flows, as an inclusive join does, before it is
//! reset.
//!
//! The condition is evaluated when a token arrives, and again when nothing else moves, because data
//! may have changed. A reset is a visit of its own, in which the conditions of the outgoing flows
//! are evaluated once more. A join without activation condition is an inclusive join.
//!
//! `state::scope` has the state kept between the two.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{exclusive_gateway, inclusive_gateway, own_work::Own};
use crate::{
    engine::{
        context::Step,
        record::{Arrival, Record},
    },
    model::{
        evaluator::EvaluationError,
        executable::ExecutableNode,
        ids::ElementKey,
        node_kind::{ACTIVATION_COUNT, ACTIVATION_COUNTS, WAITING_FOR_START},
    },
};

/// Incident of a join whose activation condition cannot be evaluated.
const FAILED: &str = "activation_error";
/// Incident of a join whose activation condition stays false.
const STUCK: &str = "join_incomplete";

/// The flows that the gateway takes: those whose condition is true, otherwise the default flow.
/// Flows without condition are all taken, but not by a reset.
pub(super) fn choose<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Own<'a> {
    let element = step.state.element(key);
    let variables = element.and_then(|element| element.variables());
    let resets =
        variables.is_some_and(|own| own.get(WAITING_FOR_START) == Some(&Value::Bool(false)));
    let mut taken = Vec::new();
    for (index, flow) in node.outgoing.iter().enumerate() {
        if Some(index) == node.default_flow {
            continue;
        }
        let goes = if flow.conditional {
            exclusive_gateway::is_true_for(step, key, Some(key), flow)
        } else {
            Some(!resets)
        };
        match goes {
            Some(true) => taken.push(flow),
            Some(false) => {}
            None => return Own::Waiting,
        }
    }
    if !taken.is_empty() || (resets && !takes_flow_at_reset(node)) {
        return Own::Done(taken);
    }
    match node.default_flow {
        // A reset may take no flow.
        None if resets => Own::Done(taken),
        _ => exclusive_gateway::otherwise(step, key, node),
    }
}

/// Whether a reset may take a flow: one with a condition, or the default flow beside such flows.
fn takes_flow_at_reset(node: &ExecutableNode) -> bool {
    node.outgoing.iter().any(|flow| flow.conditional)
}

/// Evaluates the activation condition after a token has arrived at a join. A condition that cannot
/// be evaluated becomes an incident only when nothing else moves.
pub(in crate::engine) fn arrived(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
) {
    let held = step.state.scope(scope);
    let waits_for_start = held.is_some_and(|held| held.resetting(&join.id).is_none());
    if waits_for_start && matches!(is_active(step, scope, join), Ok(true)) {
        activate(step, scope, join);
    }
}

/// Lets a join continue or be reset, if it can when nothing else moves. Returns `false` if it
/// cannot.
pub(super) fn release(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
) -> bool {
    let Some(held) = step.state.scope(scope) else {
        return false;
    };
    if let Some(taken) = held.resetting(&join.id) {
        let taken: Vec<Arc<str>> = taken.iter().map(|arrival| arrival.flow.clone()).collect();
        return reset(step, scope, join, &taken);
    }
    if held.waiting_at(&join.id).is_empty() {
        return false;
    }
    match is_active(step, scope, join) {
        Ok(true) => activate(step, scope, join),
        Ok(false) => return false,
        Err(error) => {
            let sentence = format!(
                "the activation condition of gateway '{}' cannot be decided: \
                {error}",
                join.id
            );
            stop(step, scope, join, FAILED, sentence);
        }
    }
    true
}

/// Raises an incident: the activation condition of a join is false, and no other token can arrive.
pub(in crate::engine) fn stop_for_good(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
) {
    let sentence = format!(
        "expected the activation condition of gateway '{}' to become true, but it is false, and no \
        other token is left. Correct the data (patch) and retry to evaluate it again, or skip to \
        continue",
        join.id
    );
    stop(step, scope, join, STUCK, sentence);
}

/// Activates the join with the waiting tokens and an incident.
fn stop(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
    code: &str,
    sentence: String,
) {
    let held = step.state.scope(scope);
    let waiting = held.map_or(&[][..], |held| held.waiting_at(&join.id));
    let (arrivals, counts) = (waiting.to_vec(), counts(join, waiting, true));
    let key = ElementKey(step.next_seq());
    step.activate_with(&join.id, scope, arrivals, counts);
    step.incident(key, code, sentence, None);
}

/// Whether a retry resolves the incident of a join by evaluating its condition again.
fn is_undecided(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    let element = step.state.element(key);
    let mut incidents = element.into_iter().flat_map(|element| element.incidents());
    node.is_complex_join() && incidents.any(|incident| [FAILED, STUCK].contains(&&*incident.code))
}

/// Lets the tokens of a join with an undecided condition wait again. Returns `false` for other
/// elements.
pub(in crate::engine) fn give_back(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> bool {
    if !is_undecided(step, key, node) {
        return false;
    }
    let element = step.state.element(key);
    let Some((scope, arrivals)) = element.map(|found| (found.scope(), found.arrivals().to_vec()))
    else {
        return false;
    };
    step.record(Record::IncidentsResolved {
        element: key,
        skipped: false,
    });
    step.terminate(key);
    // Several tokens are returned by the end of the element.
    if let [arrival] = &arrivals[..] {
        let arrival = arrival.clone();
        step.record(Record::FlowArrived {
            scope,
            node: node.id.clone(),
            arrival,
        });
    }
    // If nothing else is active in the scope, the scope reports that it cannot continue.
    if let Some(scope) = scope {
        step.queue(scope);
    }
    true
}

/// Lets a skipped join continue as if its condition were true.
pub(in crate::engine) fn continue_skipped(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) {
    if is_undecided(step, key, node)
        && let Some(element) = step.state.element(key)
    {
        let (scope, arrivals) = (element.scope(), element.arrivals().to_vec());
        wait_for_reset(step, scope, node, arrivals);
    }
}

/// Whether the activation condition is true; without a condition, whether no other token can
/// arrive.
fn is_active(
    step: &Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
) -> Result<bool, EvaluationError> {
    let held = step.state.scope(scope);
    let waiting = held.map_or(&[][..], |held| held.waiting_at(&join.id));
    if !join.has_activation_condition() {
        return Ok(!inclusive_gateway::waits(step, scope, join, waiting));
    }
    let own = if join.counts_flows() {
        counts(join, waiting, true)
    } else {
        counts_of_all(waiting, true)
    };
    let own = Value::Object(own);
    let variables = step.state.variables(scope);
    step.evaluator.condition(&join.id, &variables.inside(&own))
}

/// Activates a join with one token of each flow that has one. It then waits for the others.
fn activate(step: &mut Step<'_>, scope: Option<ElementKey>, join: &ExecutableNode) {
    let held = step.state.scope(scope);
    let waiting = held.map_or(&[][..], |held| held.waiting_at(&join.id));
    let arrivals = inclusive_gateway::first_of_each(join, waiting);
    let counts = counts(join, waiting, true);
    step.activate_with(&join.id, scope, arrivals.clone(), counts);
    wait_for_reset(step, scope, join, arrivals);
}

fn wait_for_reset(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
    arrivals: Vec<Arrival>,
) {
    if join.has_activation_condition() && join.incoming.len() > 1 {
        step.record(Record::GatewayStateChanged {
            scope,
            node: join.id.clone(),
            taken: Some(arrivals),
        });
    }
}

/// Resets a join that waits for its other flows once no token can reach them.
fn reset(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    join: &ExecutableNode,
    taken: &[Arc<str>],
) -> bool {
    let held = step.state.scope(scope);
    let waiting = held.map_or(&[][..], |held| held.waiting_at(&join.id));
    let known: HashSet<_> = taken.iter().collect();
    let is_missing = |arrival: &&Arrival| !known.contains(&arrival.flow);
    let others: Vec<Arrival> = waiting.iter().filter(is_missing).cloned().collect();
    let there = others.iter().map(|arrival| &arrival.flow).chain(taken);
    if inclusive_gateway::waits_beside(step, scope, join, &there.collect::<Vec<_>>()) {
        return false;
    }
    let counts = counts(join, waiting, false);
    let arrivals = inclusive_gateway::first_of_each(join, &others);
    step.record(Record::GatewayStateChanged {
        scope,
        node: join.id.clone(),
        taken: None,
    });
    if !arrivals.is_empty() || takes_flow_at_reset(join) {
        step.activate_with(&join.id, scope, arrivals, counts);
    } else if let Some(scope) = scope {
        // The scope may be complete now.
        step.queue(scope);
    }
    true
}

/// The variables that conditions of a gateway read besides the data.
fn counts(join: &ExecutableNode, waiting: &[Arrival], waits_for_start: bool) -> Map<String, Value> {
    let mut of_flow: HashMap<&str, u64> = HashMap::new();
    for arrival in waiting {
        *of_flow.entry(&arrival.flow).or_default() += 1;
    }
    let count = |flow: &Arc<str>| of_flow.get(&**flow).copied().unwrap_or_default();
    let by_flow = join.incoming.iter();
    let by_flow: Map<_, _> = by_flow
        .map(|flow| (flow.to_string(), count(flow).into()))
        .collect();
    let mut counts = counts_of_all(waiting, waits_for_start);
    counts.insert(ACTIVATION_COUNTS.to_owned(), by_flow.into());
    counts
}

/// The same without the number of tokens of each flow.
fn counts_of_all(waiting: &[Arrival], waits_for_start: bool) -> Map<String, Value> {
    [
        (ACTIVATION_COUNT, waiting.len().into()),
        (WAITING_FOR_START, waits_for_start.into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}
