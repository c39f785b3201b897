//! Start event: chooses the start event of a start, and filters its data. Start events with a
//! schedule, a message, a signal or a condition are only started by these; so are receive tasks, and events
//! behind event-based gateways, that start the process. A process without a start event is started
//! at the nodes that no flow enters.

use serde_json::Value;

use super::event_gateway;
use crate::{
    engine::{
        context::Step,
        multiple,
        rejection::{Rejection, RejectionKind},
        subscriber::Subscriber,
        subscription,
    },
    model::{
        evaluator::Evaluator,
        event_definition::EventRef,
        executable::{ExecutableNode, ExecutableProcess},
        ids::ElementKey,
        keys::Keys,
        node_kind::{ExecutableEventDefinition, NodeKind, StartEvent, TaskKind},
    },
};

/// The nodes at which a start begins: the start event with this start condition; without a start
/// condition the only start event, or the only one without a condition; in a process without start
/// events all nodes that no flow enters.
pub(in crate::engine) fn choose<'a>(
    process: &'a ExecutableProcess,
    condition: Option<&str>,
) -> Result<Vec<&'a ExecutableNode>, Rejection> {
    if condition.is_none() && !process.implicit_starts.is_empty() {
        return Ok(process
            .implicit_starts
            .iter()
            .filter_map(|id| process.node(id))
            .collect());
    }
    let all: Vec<(&ExecutableNode, &StartEvent)> = process
        .start_events()
        .filter(|(_, start)| start.is_for_clients())
        .collect();
    if all.is_empty() && process.implicit_starts.is_empty() {
        let id = &process.definition.id;
        let sentence = format!(
            "expected a process that can be started, but '{id}' can only start by itself: {}",
            started_by(process)
        );
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    }
    let fitting: Vec<(&ExecutableNode, &StartEvent)> = match condition {
        Some(_) => all
            .iter()
            .copied()
            .filter(|(_, start)| start.condition.as_deref() == condition)
            .collect(),
        None if all.len() == 1 => all.clone(),
        None => all
            .iter()
            .copied()
            .filter(|(_, start)| start.condition.is_none())
            .collect(),
    };
    if let [(only, _)] = fitting[..] {
        return Ok(vec![only]);
    }
    Err(no_choice(process, condition, &all, fitting.len()))
}

/// The refusal of a start that fits to no start event, or to several.
fn no_choice(
    process: &ExecutableProcess,
    condition: Option<&str>,
    all: &[(&ExecutableNode, &StartEvent)],
    fitting: usize,
) -> Rejection {
    let known: Vec<&str> = all
        .iter()
        .filter_map(|(_, start)| start.condition.as_deref())
        .collect();
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    let sentence = match condition {
        Some(condition) => format!(
            "expected one start event of '{}' with start condition '{condition}', but there are \
            {fitting}; known conditions: {known}",
            process.definition.id
        ),
        None => format!(
            "expected a startCondition, but the start names none and '{}' has {} start events; \
            known conditions: {known}",
            process.definition.id,
            all.len()
        ),
    };
    Rejection::new(RejectionKind::BadRequest, sentence)
}

/// A description of the start of a process that no client can start.
fn started_by(process: &ExecutableProcess) -> String {
    let id = &process.definition.id;
    if let Some((node, _)) = process.schedules().next() {
        return format!(
            "an operator may run its schedule: POST /v1/schedules/{id}/{}/run",
            node.id
        );
    }
    let mut events = process.event_starts().map(|(_, _, event)| event);
    let named = events.find_map(|event| match event {
        ExecutableEventDefinition::Message(message) => Some(("message", message.fixed_name()?)),
        ExecutableEventDefinition::Signal(signal) => Some(("signal", signal.fixed_name()?)),
        ExecutableEventDefinition::Error(_)
        | ExecutableEventDefinition::Conditional
        | ExecutableEventDefinition::Timer(_)
        | ExecutableEventDefinition::Escalation(_)
        | ExecutableEventDefinition::Link
        | ExecutableEventDefinition::Compensation(_)
        | ExecutableEventDefinition::Cancel
        | ExecutableEventDefinition::Terminate => None,
    });
    match named {
        Some((what, name)) => format!("publish the {what} '{name}'"),
        None => format!(
            "evaluate its conditions: POST /v1/conditions {{\"process\": \"{id}\", \"data\": {{…}}}}"
        ),
    }
}

/// Starts an instance at a node: behind the event that has started it, or at its gateway. `event`
/// is the definition that has occurred, if any.
pub(in crate::engine) fn begin(
    step: &mut Step<'_>,
    node: &ExecutableNode,
    event: Option<&EventRef>,
) {
    let is_instantiating = matches!(
        node.kind,
        NodeKind::Task(TaskKind::Receive {
            instantiates: true,
            ..
        })
    );
    if let Some(gateway) = step.process.instantiating_gateway(node) {
        event_gateway::begin(step, gateway, node);
    } else {
        let key = ElementKey(step.next_seq());
        step.activate(&node.id, None, Vec::new());
        if is_instantiating {
            subscription::pass(step, key, node);
        } else if let Some(event) = event {
            // The other definitions of a parallel event are subscribed to.
            multiple::occurs(step, Subscriber::Element(key), node, event, None);
        }
    }
}

/// The node of a schedule, a message, a signal or a condition that starts the process.
pub(in crate::engine) fn by_itself<'a>(
    process: &'a ExecutableProcess,
    id: &str,
) -> Result<&'a ExecutableNode, Rejection> {
    let by_time = process.schedules().map(|(node, _)| node);
    let by_event = process.event_starts().map(|(node, _, _)| node);
    let by_condition = process.conditional_starts().map(|(node, _)| node);
    by_time
        .chain(by_event)
        .chain(by_condition)
        .find(|node| &*node.id == id)
        .ok_or_else(|| {
            let sentence = format!(
                "expected a start event of '{}' that starts by itself, but '{id}' is not one",
                process.definition.id
            );
            Rejection::new(RejectionKind::BadRequest, sentence)
        })
}

/// The start data filtered by the keys of the start event, and the paths that were filtered out.
pub(in crate::engine) fn accept(
    starts_at: &[&ExecutableNode],
    data: &Value,
    evaluator: &dyn Evaluator,
) -> Result<(Value, Vec<String>), Rejection> {
    let everything = Keys::everything();
    let keys = starts_at
        .iter()
        .find_map(|node| node.start()?.keys.as_ref())
        .unwrap_or(&everything);
    let accepted = keys
        .accept(data, evaluator)
        .map_err(Rejection::invalid_data)?;
    Ok((accepted.data, accepted.ignored))
}
