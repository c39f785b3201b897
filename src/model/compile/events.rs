//! Compiles events, thrown, awaited and caught.

use std::sync::Arc;

use crate::model::{
    catch::Catch,
    definition::FlowNode,
    event_definition::{EventDefinition, EventRef},
    executable::ExecutableSchedule,
    keys::Keys,
    message_event::{MessageDefinition, SignalDefinition},
    node_kind::{
        CompensationThrow, EventDefinitions, ExecutableEventDefinition, StartEvent, TimerDefinition,
    },
    schedule::Schedule,
    timer_cycle::Occurrences,
};

pub(super) fn compile_start(node: &FlowNode) -> Result<StartEvent, String> {
    Ok(StartEvent {
        condition: node.start_condition.clone(),
        schedule: node.schedule.as_ref().map(compile_schedule).transpose()?,
        keys: if node.keys.is_empty() {
            None
        } else {
            Some(Keys::compile(&node.keys, false)?)
        },
        event: compile_events(node)?,
        interrupting: node.interrupting,
        catches: compile_catches(node),
    })
}

/// The compiled events of a node.
pub(super) fn compile_events(node: &FlowNode) -> Result<EventDefinitions, String> {
    let all = node.events.iter().map(compile_event);
    let all = all.collect::<Result<_, _>>()?;
    Ok(EventDefinitions::new(all, node.parallel_multiple))
}

fn compile_event(event: &EventDefinition) -> Result<ExecutableEventDefinition, String> {
    Ok(match event {
        EventDefinition::Error { code } => {
            ExecutableEventDefinition::Error(code.as_deref().map(Arc::from))
        }
        EventDefinition::Timer { when, time_zone } => ExecutableEventDefinition::Timer(Box::new(
            TimerDefinition::compile(when, time_zone.as_deref())?,
        )),
        EventDefinition::Message {
            name,
            correlation_key,
            data,
            time_to_live,
        } => ExecutableEventDefinition::Message(Box::new(MessageDefinition::compile(
            name,
            correlation_key.as_deref(),
            data.as_deref(),
            time_to_live.as_deref(),
        )?)),
        EventDefinition::Signal {
            name,
            data,
            business_key,
        } => ExecutableEventDefinition::Signal(Box::new(SignalDefinition::compile(
            name,
            data.as_deref(),
            business_key.as_deref(),
        )?)),
        EventDefinition::Conditional { .. } => ExecutableEventDefinition::Conditional,
        EventDefinition::Escalation { code } => {
            ExecutableEventDefinition::Escalation(code.as_deref().map(Arc::from))
        }
        EventDefinition::Link { .. } => ExecutableEventDefinition::Link,
        EventDefinition::Compensation {
            activity,
            wait_for_completion,
        } => ExecutableEventDefinition::Compensation(CompensationThrow {
            activity: activity.as_deref().map(Arc::from),
            waits: *wait_for_completion,
        }),
        EventDefinition::Cancel => ExecutableEventDefinition::Cancel,
        EventDefinition::Terminate => ExecutableEventDefinition::Terminate,
    })
}

fn compile_schedule(schedule: &Schedule) -> Result<ExecutableSchedule, String> {
    Ok(ExecutableSchedule {
        written: schedule.clone(),
        occurrences: Occurrences::compile(schedule)?,
    })
}

/// The errors and escalations that an event catches.
pub(in crate::model) fn compile_catches(node: &FlowNode) -> Vec<Catch> {
    let (id, interrupting): (Arc<str>, bool) = (node.id.as_str().into(), node.interrupting);
    let catch = |(event, definition): (&EventDefinition, u8)| {
        let (escalation, code) = match event {
            EventDefinition::Error { code } => (false, code),
            EventDefinition::Escalation { code } => (true, code),
            EventDefinition::Timer { .. }
            | EventDefinition::Conditional { .. }
            | EventDefinition::Message { .. }
            | EventDefinition::Signal { .. }
            | EventDefinition::Link { .. }
            | EventDefinition::Compensation { .. }
            | EventDefinition::Cancel
            | EventDefinition::Terminate => return None,
        };
        Some(Catch {
            event: EventRef {
                definition,
                node: id.clone(),
            },
            escalation,
            code: code.as_deref().map(Arc::from),
            interrupting,
            parallel: node.parallel_multiple && node.events.len() > 1,
        })
    };
    node.events.iter().zip(0..).filter_map(catch).collect()
}
