//! The behaviour of each BPMN element kind, one file per kind, and the life of an element instance
//! from its activation to its completion.
//!
//! The order is always the same: automatic actions, then the element's own work, then, once no
//! mandatory action is left, completion.

pub(super) mod ad_hoc;
pub(super) mod boundary_event;
pub(super) mod call_activity;
pub(super) mod complex_gateway;
pub(super) mod end_event;
mod event_gateway;
pub(super) mod event_sub_process;
mod exclusive_gateway;
mod inclusive_gateway;
pub(super) mod late_join;
mod own_work;
pub(super) mod parallel_gateway;
pub(super) mod start_event;
mod sub_process;

use serde_json::{Map, Value};

use self::own_work::Own;
use super::{
    actions::automatic,
    compensation, conditions,
    context::Step,
    correlation::ThrownSignal,
    looping::{self, iteration::Verdict},
    mappings, publishing, quantities,
    state::{Call, ElementInstance},
    subscriber::Subscriber,
    subscription, throwing,
};
use crate::model::{
    executable::{ExecutableFlow, ExecutableNode},
    ids::ElementKey,
    node_kind::{CompensationThrow, ExecutableEventDefinition, GatewayKind, NodeKind, TaskKind},
};

/// Lets an active element continue as far as it can now.
pub(super) fn advance(step: &mut Step<'_>, key: ElementKey) {
    let Some(node) = step.node_of(key) else {
        return;
    };
    if !can_move(step, key) {
        return;
    }
    // The subscriptions of a completed subprocess are closed already.
    if !compensation::is_undoing(step, key, node) {
        if !subscription::open(step, key, node) {
            return;
        }
        // What a call has written when its process ended does not trigger its boundary events.
        let call = step.state.element(key).and_then(ElementInstance::call);
        if call != Some(&Call::Done) {
            conditions::evaluate(step, Subscriber::Element(key));
        }
    }
    if !can_move(step, key) {
        return;
    }
    let Some(flows) = finished(step, key, node) else {
        return;
    };
    // What its own work has changed may end it at its boundary, what it gives out only from outside.
    if step.is_data_changed && conditions::evaluate_changed(step) && !can_move(step, key) {
        return;
    }
    let writes = !compensation::is_undoing(step, key, node);
    if writes && !mappings::complete(step, key, node) {
        return;
    }
    let left = Some(key);
    if !step.is_data_changed || !conditions::evaluate_except(step, left) || can_move(step, key) {
        leave(step, key, node, flows, Leaving::default());
    }
    if writes {
        mappings::keep(step, key, node);
    }
}

/// The flows by which an element's token leaves; `None` while the element waits.
fn finished<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
) -> Option<Vec<&'a ExecutableFlow>> {
    if compensation::is_undoing(step, key, node) {
        return compensation::undo(step, key, node).then(Vec::new);
    }
    if step.is_whole(key) {
        let is_done = looping::advance(step, key, node);
        return is_done.then(|| node.outgoing.iter().collect());
    }
    if !automatic::run_automatic(step, key, node) {
        return None;
    }
    match own_work(step, key, node) {
        Own::Done(flows) if !automatic::hold(step.state.element(key), node) => Some(flows),
        Own::Done(_) | Own::Waiting => None,
    }
}

/// The parts that are skipped when an element completes.
#[derive(Clone, Copy, Default)]
struct Leaving {
    /// Publishing.
    without_publishing: bool,
    /// Keeping it for compensation, where the limit is reached.
    without_room: bool,
    /// The completion condition of the ad-hoc subprocess around it.
    without_completion_condition: bool,
    /// The conditions of its flows, because the flows are chosen already.
    is_chosen: bool,
}

/// Completes an element whose work is done. A part that cannot be evaluated is an incident; all
/// parts are evaluated before the first record, so a retry repeats none.
fn leave(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    flows: Vec<&ExecutableFlow>,
    leaving: Leaving,
) {
    // The iterations of a whole have already published.
    let is_silent = leaving.without_publishing || step.is_whole(key);
    if let Some(flows) = outgoing(step, key, node, flows, leaving.is_chosen)
        && let Some(verdict) = looping::verdict(step, key, node)
        && let Some(fulfils) = fulfils(step, key, node, flows.is_empty(), leaving)
        && (leaving.without_room || compensation::has_room(step, key, node))
        && quantities::has_room(step, key, node, flows.len())
        && let Some(signals) = if is_silent {
            Some(Vec::new())
        } else {
            publishing::publish(step, key, node)
        }
    {
        let results = CompletionResults {
            flows,
            verdict,
            fulfils,
            signals,
        };
        leave_with(step, key, node, results);
    }
}

fn fulfils(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    ends_path: bool,
    leaving: Leaving,
) -> Option<bool> {
    if leaving.without_completion_condition {
        return Some(false);
    }
    ad_hoc::fulfils(step, key, node, ends_path)
}

/// Completes an element by its flows, without publishing, and without keeping it for compensation
/// if the limit is reached.
pub(super) fn leave_silently(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    let leaving = Leaving {
        without_publishing: true,
        without_room: true,
        ..Leaving::default()
    };
    leave(step, key, node, node.outgoing.iter().collect(), leaving);
}

/// Whether an element is still active and has no incident.
fn can_move(step: &Step<'_>, key: ElementKey) -> bool {
    step.state
        .element(key)
        .is_some_and(|element| element.is_active() && element.incidents().is_empty())
}

/// Completes an element whose work is done without applying its output mappings.
pub(super) fn leave_without_outputs(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    leave_finished(step, key, node, Leaving::default());
}

/// Completes an element whose work is done without evaluating the completion condition of the
/// ad-hoc subprocess around it.
pub(super) fn leave_without_completion_condition(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) {
    let leaving = Leaving {
        without_completion_condition: true,
        ..Leaving::default()
    };
    leave_finished(step, key, node, leaving);
}

fn leave_finished(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode, leaving: Leaving) {
    let flows = if step.is_whole(key) {
        node.outgoing.iter().collect()
    } else {
        match own_work(step, key, node) {
            Own::Done(flows) => flows,
            Own::Waiting => return,
        }
    };
    leave(step, key, node, flows, leaving);
}

/// The flows by which an element's token leaves: those that a gateway has chosen; for an activity
/// or event all flows without condition or with a true one, otherwise the default flow, as for an
/// inclusive gateway. `None` when a condition cannot be evaluated, which is an incident.
fn outgoing<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    flows: Vec<&'a ExecutableFlow>,
    is_chosen: bool,
) -> Option<Vec<&'a ExecutableFlow>> {
    // An iteration takes no flow.
    let element = step.state.element(key);
    let is_iteration = element.is_some_and(|element| element.loop_counter().is_some());
    let is_chosen = is_chosen
        || is_iteration
        || matches!(node.kind, NodeKind::Gateway(_))
        || compensation::is_undoing(step, key, node);
    if is_chosen || !node.chooses_flows() {
        return Some(flows);
    }
    match inclusive_gateway::choose(step, key, node) {
        Own::Done(flows) => Some(flows),
        Own::Waiting => None,
    }
}

/// Completes an element by its default flow, without evaluating conditions.
pub(super) fn leave_by_default(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    let flows = node
        .default_flow
        .map(|index| &node.outgoing[index])
        .into_iter()
        .collect();
    let leaving = Leaving {
        is_chosen: true,
        ..Leaving::default()
    };
    leave(step, key, node, flows, leaving);
}

fn own_work<'a>(step: &mut Step<'_>, key: ElementKey, node: &'a ExecutableNode) -> Own<'a> {
    let all = || Own::Done(node.outgoing.iter().collect());
    match &node.kind {
        NodeKind::Gateway(GatewayKind::Exclusive) => exclusive_gateway::choose(step, key, node),
        NodeKind::Gateway(GatewayKind::Inclusive) => inclusive_gateway::choose(step, key, node),
        NodeKind::Gateway(GatewayKind::Complex { .. }) => complex_gateway::choose(step, key, node),
        NodeKind::Gateway(GatewayKind::EventBased { instantiates }) => {
            event_gateway::choose(step, key, node, *instantiates)
        }
        NodeKind::Call(called) => call_activity::call(step, key, node, called),
        NodeKind::SubProcess(subprocess) => sub_process::advance(step, key, node, subprocess),
        NodeKind::End(event) | NodeKind::Throw(event) => {
            // Other definitions are thrown when the element completes.
            let thrown: Vec<&CompensationThrow> = event.iter().filter_map(compensated).collect();
            if thrown.is_empty() || compensation::throw(step, key, &thrown) {
                all()
            } else {
                Own::Waiting
            }
        }
        NodeKind::Catch(event) if event.is_link() => all(),
        // Without a message, its mandatory actions determine how long it waits.
        NodeKind::Task(TaskKind::Receive { event, .. }) if event.is_none() => all(),
        // A start event without subscription is started by clients, and does not wait.
        NodeKind::Start(_) if !subscription::waits_itself(node) => all(),
        NodeKind::Task(TaskKind::Receive { .. }) | NodeKind::Catch(_) | NodeKind::Start(_) => {
            match step.state.element(key) {
                Some(element) if element.is_triggered() => all(),
                _ => Own::Waiting,
            }
        }
        // A user task waits for its mandatory manual actions; the other kinds have no work besides
        // their actions.
        NodeKind::Boundary { .. }
        | NodeKind::Task(
            TaskKind::Undefined
            | TaskKind::Manual
            | TaskKind::User(_)
            | TaskKind::Service
            | TaskKind::Send(_)
            | TaskKind::Script
            | TaskKind::BusinessRule,
        )
        | NodeKind::Gateway(GatewayKind::Parallel) => all(),
    }
}

/// The compensation that a definition throws.
fn compensated(event: &ExecutableEventDefinition) -> Option<&CompensationThrow> {
    match event {
        ExecutableEventDefinition::Compensation(thrown) => Some(thrown),
        ExecutableEventDefinition::Error(_)
        | ExecutableEventDefinition::Escalation(_)
        | ExecutableEventDefinition::Link
        | ExecutableEventDefinition::Cancel
        | ExecutableEventDefinition::Conditional
        | ExecutableEventDefinition::Timer(_)
        | ExecutableEventDefinition::Message(_)
        | ExecutableEventDefinition::Signal(_)
        | ExecutableEventDefinition::Terminate => None,
    }
}

/// Completes an iteration whose result or completion condition cannot be evaluated, without either.
pub(super) fn leave_iteration(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    leave_with(step, key, node, CompletionResults::default());
}

/// The results of all that is evaluated when an element completes.
#[derive(Default)]
struct CompletionResults<'n> {
    /// The flows by which its token leaves.
    flows: Vec<&'n ExecutableFlow>,
    /// For an iteration: the outcome of its end.
    verdict: Verdict,
    /// Whether it makes the completion condition of the ad-hoc subprocess around it true.
    fulfils: bool,
    /// The signals it publishes.
    signals: Vec<ThrownSignal>,
}

/// Completes an element after everything was evaluated.
fn leave_with(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    results: CompletionResults<'_>,
) {
    let CompletionResults {
        flows,
        verdict,
        fulfils,
        signals,
    } = results;
    let Some(element) = step.state.element(key) else {
        return;
    };
    let iteration = element
        .loop_counter()
        .filter(|_| !compensation::is_undoing(step, key, node));
    let scope = element.scope();
    let events = element.triggered().to_vec();
    let carried = carried(node, element);
    let undone_for = compensation::complete(step, key);
    let from = step.complete(key, node);
    if let (Some(whole), Some(iteration)) = (scope, iteration) {
        return looping::iteration_left(step, whole, node, iteration, verdict);
    }
    if let NodeKind::End(event) | NodeKind::Throw(event) = &node.kind
        && !throwing::throw(step, (key, scope), event, signals, &carried)
    {
        return;
    }
    if fulfils {
        ad_hoc::fulfil(step, scope);
    } else if ad_hoc::is_fulfilled(step, scope) {
        // No further element is activated there.
    } else if node.is_event_gateway() {
        step.take_to_events(&flows, scope, from, &events);
    } else {
        for _ in 0..node.completion_quantity {
            step.take_all(&flows, scope, from);
        }
    }
    if let Some(by) = undone_for {
        compensation::next(step, by, scope);
    }
    advance_scope(step, scope);
}

/// What an error or escalation carries that an event throws: what the event owns.
fn carried(node: &ExecutableNode, element: &ElementInstance) -> Map<String, Value> {
    let owned = element.variables().and_then(Value::as_object);
    match &node.kind {
        NodeKind::End(event) | NodeKind::Throw(event) if event.climbs() => {
            owned.cloned().unwrap_or_default()
        }
        NodeKind::End(_)
        | NodeKind::Throw(_)
        | NodeKind::Start(_)
        | NodeKind::Catch(_)
        | NodeKind::Boundary { .. }
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => Map::new(),
    }
}

/// Lets a scope continue in which nothing is active any more.
fn advance_scope(step: &mut Step<'_>, scope: Option<ElementKey>) {
    if let Some(key) = scope
        && step
            .state
            .scope(scope)
            .is_some_and(|scope| scope.live() == 0)
    {
        step.queue(key);
    }
}
