//! Publishes the messages and signals of throwing events and send tasks, once, right before they
//! complete.
//!
//! Name, key and data are evaluated here; the receivers are found by the entities behind the
//! instance's outbox (`runtime::correlations`). Elements of the same instance that wait for a
//! signal receive it when the throwing element completes (`throwing`). `subscription` has the
//! subscriptions of elements.

use std::sync::Arc;

use serde_json::Value;

use super::{
    context::Step,
    correlation::{Correlation, CorrelationNote, ThrownSignal},
};
use crate::model::{
    executable::ExecutableNode,
    ids::{ElementKey, Time},
    message_event::{MessageDefinition, SignalDefinition},
    node_kind::{ExecutableEventDefinition, NodeKind, TaskKind},
};

/// Incident of an element whose message or signal cannot be evaluated. A retry evaluates it again.
pub(super) const UNREADABLE: &str = "message_error";

/// Publishes the messages and signals of a node, and returns the signals. `None` when one cannot be
/// evaluated, which is an incident.
pub(super) fn publish(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> Option<Vec<ThrownSignal>> {
    let read: Result<Vec<PublishedMessage>, String> = thrown(&node.kind)
        .filter_map(|event| read(step, key, event))
        .collect();
    let read = match read {
        Ok(read) => read,
        Err(sentence) => {
            let sentence = format!("what '{}' sends: {sentence}", node.id);
            step.incident(key, UNREADABLE, sentence, None);
            return None;
        }
    };
    let mut signals = Vec::new();
    for publication in read {
        let PublishedMessage {
            correlation,
            data,
            until,
            business_key,
        } = publication;
        match &correlation {
            Correlation::Message { .. } => {}
            Correlation::Signal { name } => signals.push(ThrownSignal {
                name: name.clone(),
                data: data.clone(),
            }),
        }
        let note = CorrelationNote::Published {
            data,
            until,
            business_key,
        };
        step.notify(correlation, note);
    }
    Some(signals)
}

/// The definitions that a node throws.
fn thrown(kind: &NodeKind) -> impl Iterator<Item = &ExecutableEventDefinition> {
    let event = match kind {
        NodeKind::End(event) | NodeKind::Throw(event) | NodeKind::Task(TaskKind::Send(event)) => {
            Some(event)
        }
        NodeKind::Task(
            TaskKind::Undefined
            | TaskKind::Receive { .. }
            | TaskKind::Manual
            | TaskKind::User(_)
            | TaskKind::Service
            | TaskKind::Script
            | TaskKind::BusinessRule,
        )
        | NodeKind::Start(_)
        | NodeKind::Catch(_)
        | NodeKind::Boundary { .. }
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => None,
    };
    event.into_iter().flat_map(|event| event.iter())
}

/// The message or signal of a definition; `None` for definitions that are thrown in other ways.
fn read(
    step: &Step<'_>,
    key: ElementKey,
    event: &ExecutableEventDefinition,
) -> Option<Result<PublishedMessage, String>> {
    match event {
        ExecutableEventDefinition::Message(message) => Some(read_message(step, key, message)),
        ExecutableEventDefinition::Signal(signal) => Some(read_signal(step, key, signal)),
        ExecutableEventDefinition::Error(_)
        | ExecutableEventDefinition::Conditional
        | ExecutableEventDefinition::Timer(_)
        | ExecutableEventDefinition::Escalation(_)
        | ExecutableEventDefinition::Link
        | ExecutableEventDefinition::Compensation(_)
        | ExecutableEventDefinition::Cancel
        | ExecutableEventDefinition::Terminate => None,
    }
}

/// A message or signal with all that is evaluated when it is published.
struct PublishedMessage {
    correlation: Correlation,
    data: Value,
    until: Option<Time>,
    business_key: Option<Arc<str>>,
}

fn read_message(
    step: &Step<'_>,
    key: ElementKey,
    message: &MessageDefinition,
) -> Result<PublishedMessage, String> {
    let data = message.data(&step.state.variables(Some(key)), &step.builtins())?;
    let until = message
        .time_to_live
        .as_ref()
        .and_then(|span| step.now.plus(span));
    Ok(PublishedMessage {
        correlation: correlation_of_message(step, Some(key), message)?,
        data,
        until,
        business_key: None,
    })
}

fn read_signal(
    step: &Step<'_>,
    key: ElementKey,
    signal: &SignalDefinition,
) -> Result<PublishedMessage, String> {
    let (variables, builtins) = (step.state.variables(Some(key)), step.builtins());
    let business_key = signal.business_key(&variables, &builtins)?;
    Ok(PublishedMessage {
        correlation: correlation_of_signal(step, Some(key), signal)?,
        data: signal.data(&variables, &builtins)?,
        until: None,
        business_key: business_key.map(Arc::from),
    })
}

/// The name and key of a message, evaluated with the variables visible to the element, or to the
/// instance.
pub(super) fn correlation_of_message(
    step: &Step<'_>,
    element: Option<ElementKey>,
    message: &MessageDefinition,
) -> Result<Correlation, String> {
    let (data, builtins) = (&step.state.variables(element), step.builtins());
    Ok(Correlation::Message {
        name: message.name(data, &builtins)?.into(),
        key: message.correlation_key(data, &builtins)?.map(Arc::from),
    })
}

/// The name of a signal, evaluated with the variables visible to the element, or to the instance.
pub(super) fn correlation_of_signal(
    step: &Step<'_>,
    element: Option<ElementKey>,
    signal: &SignalDefinition,
) -> Result<Correlation, String> {
    let name = signal.name(&step.state.variables(element), &step.builtins())?;
    Ok(Correlation::Signal { name: name.into() })
}
