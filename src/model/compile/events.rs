//! Compiles events: what they wait for, throw and catch.

use std::sync::Arc;

use crate::model::{
    definition::FlowNode,
    event_definition,
    executable::{Catch, ExecutableSchedule},
    keys::Keys,
    message_event::{MessageDefinition, SignalDefinition},
    node_kind::{CompensationThrow, EventDefinition, StartEvent, TimerDefinition},
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
        event: compile_event(node.event.as_ref())?,
        interrupting: node.interrupting,
        catch: compile_catch(node),
    })
}

pub(super) fn compile_event(
    event: Option<&event_definition::EventDefinition>,
) -> Result<EventDefinition, String> {
    use event_definition::EventDefinition as Written;
    Ok(match event {
        None => EventDefinition::None,
        Some(Written::Error { code }) => EventDefinition::Error(code.as_deref().map(Arc::from)),
        Some(Written::Timer { when, time_zone }) => EventDefinition::Timer(Box::new(
            TimerDefinition::compile(when, time_zone.as_deref())?,
        )),
        Some(Written::Message {
            name,
            correlation_key,
            data,
            time_to_live,
        }) => EventDefinition::Message(Box::new(MessageDefinition::compile(
            name,
            correlation_key.as_deref(),
            data.as_deref(),
            time_to_live.as_deref(),
        )?)),
        Some(Written::Signal { name, data }) => {
            EventDefinition::Signal(Box::new(SignalDefinition::compile(name, data.as_deref())?))
        }
        Some(Written::Conditional { .. }) => EventDefinition::Conditional,
        Some(Written::Escalation { code }) => {
            EventDefinition::Escalation(code.as_deref().map(Arc::from))
        }
        Some(Written::Link { .. }) => EventDefinition::Link,
        Some(Written::Compensation {
            activity,
            wait_for_completion,
        }) => EventDefinition::Compensation(CompensationThrow {
            activity: activity.as_deref().map(Arc::from),
            waits: *wait_for_completion,
        }),
        Some(Written::Cancel) => EventDefinition::Cancel,
        Some(Written::Terminate) => EventDefinition::Terminate,
    })
}

fn compile_schedule(schedule: &Schedule) -> Result<ExecutableSchedule, String> {
    Ok(ExecutableSchedule {
        written: schedule.clone(),
        occurrences: Occurrences::compile(schedule)?,
    })
}

pub(in crate::model) fn compile_catch(event: &FlowNode) -> Option<Catch> {
    use event_definition::EventDefinition as Written;
    let (escalation, code) = match event.event.as_ref()? {
        Written::Error { code } => (false, code),
        Written::Escalation { code } => (true, code),
        Written::Timer { .. }
        | Written::Conditional { .. }
        | Written::Message { .. }
        | Written::Signal { .. }
        | Written::Link { .. }
        | Written::Compensation { .. }
        | Written::Cancel
        | Written::Terminate => return None,
    };
    Some(Catch {
        node: event.id.as_str().into(),
        escalation,
        code: code.as_deref().map(Arc::from),
        interrupting: event.interrupting,
    })
}
