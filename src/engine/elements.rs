//! What each BPMN element kind does, one file per kind, and how an element instance moves from
//! entered to left.
//!
//! The order is always the same: automatic actions, the element's own work, then, when no mandatory
//! action is left, out.

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

use self::own_work::Own;
use super::{
    actions::automatic,
    compensation, conditions,
    context::Step,
    looping::{self, iteration::Verdict},
    mappings, publishing,
    subscriber::Subscriber,
    subscription, throwing,
};
use crate::model::{
    executable::{ExecutableFlow, ExecutableNode},
    ids::ElementKey,
    node_kind::{EventDefinition, GatewayKind, NodeKind, TaskKind},
};

/// Lets an active element do what it can do now.
pub(super) fn advance(step: &mut Step<'_>, key: ElementKey) {
    let Some(node) = step.node_of(key) else {
        return;
    };
    if !can_move(step, key) {
        return;
    }
    // What a completed subprocess waited for is over.
    if !compensation::is_undoing(step, key, node) {
        if !subscription::open(step, key, node) {
            return;
        }
        conditions::look_at(step, Subscriber::Element(key));
    }
    if !can_move(step, key) {
        return;
    }
    if step.is_whole(key) {
        if looping::advance(step, key, node)
            && mappings::complete(step, key, node)
            && (!step.is_data_changed || !conditions::look(step) || can_move(step, key))
            && let Some(flows) = outgoing(step, key, node, node.outgoing.iter().collect())
            && compensation::has_room(step, key, node)
        {
            leave(step, key, node, flows);
        }
        return;
    }
    if !automatic::run_automatic(step, key, node) {
        return;
    }
    if let Own::Done(flows) = own_work(step, key, node)
        && !automatic::hold(step.state.element(key), node)
        && (compensation::is_undoing(step, key, node) || mappings::complete(step, key, node))
        // What its own work has changed may end it.
        && (!step.is_data_changed || !conditions::look(step) || can_move(step, key))
        && let Some(flows) = outgoing(step, key, node, flows)
        && let Some(verdict) = looping::verdict(step, key, node)
        && publishing::publish(step, key, node)
        && compensation::has_room(step, key, node)
    {
        leave_with(step, key, node, &flows, verdict);
    }
}

/// Leaves a node by its flows, without what it would throw.
pub(super) fn leave_silently(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    if let Some(flows) = outgoing(step, key, node, node.outgoing.iter().collect()) {
        leave(step, key, node, flows);
    }
}

/// Whether nothing has ended or stopped an element.
fn can_move(step: &Step<'_>, key: ElementKey) -> bool {
    step.state
        .element(key)
        .is_some_and(|element| element.is_active() && element.incidents().is_empty())
}

/// Leaves an element whose work is done without writing what its output mappings read.
pub(super) fn leave_without_outputs(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    if step.is_whole(key) {
        return leave_silently(step, key, node);
    }
    if let Own::Done(flows) = own_work(step, key, node)
        && let Some(flows) = outgoing(step, key, node, flows)
        && publishing::publish(step, key, node)
    {
        leave(step, key, node, flows);
    }
}

/// The flows that an element is left by: those that a gateway has chosen; of an activity or event
/// all that have no condition or a true one, else the default flow, as of an inclusive gateway.
/// `None` when that cannot be told, which is an incident.
fn outgoing<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    flows: Vec<&'a ExecutableFlow>,
) -> Option<Vec<&'a ExecutableFlow>> {
    // By an iteration no flow is taken.
    let element = step.state.element(key);
    let is_iteration = element.is_some_and(|element| element.loop_counter().is_some());
    let is_chosen = is_iteration
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

/// Leaves an element by its default flow, whatever its conditions say.
pub(super) fn leave_by_default(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    let flows = node
        .default_flow
        .map(|index| &node.outgoing[index])
        .into_iter()
        .collect();
    leave(step, key, node, flows);
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
            // The others are thrown when the element is left.
            let is_thrown = match event {
                EventDefinition::Compensation(thrown) => compensation::throw(step, key, thrown),
                EventDefinition::None
                | EventDefinition::Error(_)
                | EventDefinition::Escalation(_)
                | EventDefinition::Link
                | EventDefinition::Cancel
                | EventDefinition::Conditional
                | EventDefinition::Timer(_)
                | EventDefinition::Message(_)
                | EventDefinition::Signal(_)
                | EventDefinition::Terminate => true,
            };
            if is_thrown { all() } else { Own::Waiting }
        }
        NodeKind::Catch(EventDefinition::Link) => all(),
        // Without a message its actions say what it waits for.
        NodeKind::Task(TaskKind::Receive {
            event: EventDefinition::None,
            ..
        }) => all(),
        NodeKind::Task(TaskKind::Receive {
            event:
                EventDefinition::Error(_)
                | EventDefinition::Escalation(_)
                | EventDefinition::Link
                | EventDefinition::Compensation(_)
                | EventDefinition::Cancel
                | EventDefinition::Conditional
                | EventDefinition::Timer(_)
                | EventDefinition::Message(_)
                | EventDefinition::Signal(_)
                | EventDefinition::Terminate,
            ..
        })
        | NodeKind::Catch(
            EventDefinition::None
            | EventDefinition::Error(_)
            | EventDefinition::Escalation(_)
            | EventDefinition::Compensation(_)
            | EventDefinition::Cancel
            | EventDefinition::Conditional
            | EventDefinition::Timer(_)
            | EventDefinition::Message(_)
            | EventDefinition::Signal(_)
            | EventDefinition::Terminate,
        ) => match step.state.element(key) {
            Some(element) if element.is_triggered() => all(),
            _ => Own::Waiting,
        },
        // A user task waits by its mandatory manual actions; the other kinds have no work besides
        // their actions.
        NodeKind::Start(_)
        | NodeKind::Boundary { .. }
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

fn leave(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode, flows: Vec<&ExecutableFlow>) {
    if let Some(verdict) = looping::verdict(step, key, node) {
        leave_with(step, key, node, &flows, verdict);
    }
}

/// Leaves an iteration whose result or completion condition cannot be told, without either.
pub(super) fn leave_iteration(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    leave_with(step, key, node, &[], Verdict::default());
}

fn leave_with(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    flows: &[&ExecutableFlow],
    verdict: Verdict,
) {
    let Some(element) = step.state.element(key) else {
        return;
    };
    let (scope, iteration) = (element.scope(), element.loop_counter());
    let events = element.triggered().to_vec();
    let undone_for = compensation::complete(step, key);
    let from = step.complete(key, node);
    if let (Some(whole), Some(iteration)) = (scope, iteration) {
        return looping::iteration_left(step, whole, iteration, verdict);
    }
    if let NodeKind::End(event) | NodeKind::Throw(event) = &node.kind
        && !throwing::throw(step, key, scope, event)
    {
        return;
    }
    if node.is_event_gateway() {
        step.take_to_events(flows, scope, from, &events);
    } else {
        step.take_all(flows, scope, from);
    }
    if let Some(by) = undone_for {
        compensation::next(step, by, scope);
    }
    look_at_scope(step, scope);
}

/// A scope in which nothing is active any more can go on.
fn look_at_scope(step: &mut Step<'_>, scope: Option<ElementKey>) {
    if let Some(key) = scope
        && step
            .state
            .scope(scope)
            .is_some_and(|scope| scope.live() == 0)
    {
        step.queue(key);
    }
}
