//! The start of an instance: its start event, the caller's permission, and the accepted data.
//!
//! A start from another instance's Action message is checked here, too, before that instance
//! decides (`open_messages`). `subprocess` has the starts by the engine itself.

use serde_json::Value;

use super::{
    access::{self, Caller},
    command::{StartInstance, TimerKey},
    context::{Step, StepInput, StepOutcome},
    elements, guards,
    record::created::Created,
    rejection::Rejection,
    state::InstanceState,
};
use crate::model::{
    evaluator::Evaluator,
    executable::{ExecutableNode, ExecutableProcess},
};

/// The result of a start that is accepted.
struct Accepted<'a> {
    /// One start event, or all nodes that no flow enters.
    starts_at: Vec<&'a ExecutableNode>,
    data: Value,
    ignored: Vec<String>,
}

/// Starts an instance.
///
/// # Errors
/// A [`Rejection`]: no or several start events for the condition, a lane that restricts the start
/// to other roles, or start data that violate the start event's keys.
pub fn start(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    command: StartInstance,
    input: StepInput<'_>,
) -> Result<(InstanceState, StepOutcome), Rejection> {
    let trace = command.trace.clone();
    let Accepted {
        starts_at,
        data,
        ignored,
    } = accept(process, evaluator, &command, input.caller)?;
    let expires_at = match &process.expiry {
        Some(expiry) => expiry.due(input.now),
        None => command.head.expires_at,
    };
    let start_event = command.start_event;
    let created = Created {
        data: with_data_objects(process, data),
        expires_at,
        ..command.head
    };
    let mut state = InstanceState::created(1, input.now, &created);
    let mut step = Step::new(process, evaluator, &mut state, 1, &input);
    step.trace = step.trace.or(trace);
    step.begin(created, ignored);
    if let Some(due) = expires_at {
        step.set_timer(due, TimerKey::expiry());
    }
    for node in starts_at {
        elements::start_event::begin(&mut step, node, start_event.as_ref());
    }
    let outcome = step.finish(input.command);
    Ok((state, outcome))
}

/// Adds the default values of the process's data objects for members that the start data do not
/// have.
fn with_data_objects(process: &ExecutableProcess, mut data: Value) -> Value {
    if let Value::Object(members) = &mut data {
        for (name, value) in &process.data_objects {
            if !members.contains_key(name) {
                members.insert(name.clone(), value.clone());
            }
        }
    }
    data
}

/// Checks whether a start would be accepted. Nothing is started.
///
/// # Errors
/// As [`start`].
pub fn may_start(
    process: &ExecutableProcess,
    evaluator: &dyn Evaluator,
    command: &StartInstance,
    caller: Option<&Caller>,
) -> Result<(), Rejection> {
    accept(process, evaluator, command, caller).map(drop)
}

fn accept<'a>(
    process: &'a ExecutableProcess,
    evaluator: &dyn Evaluator,
    command: &StartInstance,
    caller: Option<&Caller>,
) -> Result<Accepted<'a>, Rejection> {
    let starts_at = match &command.start_event {
        Some(event) => vec![elements::start_event::by_itself(process, &event.node)?],
        None => elements::start_event::choose(process, command.start_condition.as_deref())?,
    };
    let may_start = |caller: &Caller| {
        starts_at
            .iter()
            .all(|node| access::may_start(process, caller, node))
    };
    if caller.is_some_and(|caller| !may_start(caller)) {
        let sentence = format!(
            "expected a role that may start '{}', but this user has none: see its lane",
            process.definition.id
        );
        return Err(guards::forbidden(&sentence));
    }
    let (data, ignored) = elements::start_event::accept(&starts_at, &command.head.data, evaluator)?;
    Ok(Accepted {
        starts_at,
        data,
        ignored,
    })
}
