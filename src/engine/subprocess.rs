//! Parent and child instances: the messages between them.
//!
//! Each instance decides on its own. Messages are delivered in order through the outbox, and
//! processed once: the receiver stores the last number of each open sender. A repeated message, or
//! one of an unknown sender, leaves no record.
//!
//! `start` starts children; `end` continues the waiting element after the end of a child.

pub(super) mod end;
pub(super) mod start;

use serde_json::{Map, Value};

use super::{
    context::Step,
    instance_message::InstanceMessage,
    looping,
    record::{Push, Record, Status},
    state::Child,
    throwing,
};
use crate::model::{
    action::MessageType,
    ids::{ElementKey, InstanceKey},
    start_message::StartMessage,
};

/// Receives a message of the parent or a child.
pub(super) fn receive(
    step: &mut Step<'_>,
    from: InstanceKey,
    number: u64,
    message: InstanceMessage,
) {
    if step.state.parent_is(from) {
        return receive_from_parent(step, from, number, message);
    }
    if let (InstanceMessage::StartMore { element, turn }, true) =
        (&message, from == step.state.key())
    {
        return looping::begin_more(step, *element, *turn);
    }
    let Some(child) = step
        .state
        .children()
        .get(&from)
        .filter(|child| number > child.start.received && child.status.is_live())
        .cloned()
    else {
        return;
    };
    step.record(Record::MessageReceived { from, number });
    receive_from_child(step, &child, message);
}

/// Receives a message of a child. After the end of this instance, or once the child was asked to
/// end, only the end of the child has an effect.
fn receive_from_child(step: &mut Step<'_>, child: &Child, message: InstanceMessage) {
    let listens = step.state.status().is_live() && !child.ending;
    match message {
        InstanceMessage::Push {
            kind,
            body,
            node,
            action,
        } if listens => {
            take_push(
                step,
                Push {
                    kind,
                    node,
                    action,
                    element: child.start.element,
                    origin: Some(child.start.child),
                    body,
                    open_until: None,
                },
            );
        }
        InstanceMessage::Append { patch } if listens => step.merge_of_child(child, patch),
        InstanceMessage::Escalation {
            code,
            carried,
            data,
        } if listens => escalated(step, child, &code, carried, data),
        InstanceMessage::Ended {
            status: Status::Finished,
            result,
            ..
        } => end::child_finished(step, child, result),
        InstanceMessage::Ended {
            status,
            result,
            error,
            carried,
        } => {
            let error = error.map(|code| end::ChildError {
                code,
                carried,
                result,
            });
            end::child_not_finished(step, child, status, error);
        }
        InstanceMessage::StartDropped => end::record_end(step, child, Status::Terminated),
        InstanceMessage::StartRefused { message } => end::start_refused(step, child, &message),
        _ => {}
    }
}

/// Receives a push that a child passes on. An Action message is delivered even when the limit of
/// open messages is reached, but then it accepts no response.
fn take_push(step: &mut Step<'_>, message: Push) {
    let starts = || StartMessage::read_for_server(&message.body).is_ok_and(|start| start.is_some());
    let room = if message.kind == MessageType::Action {
        start::room_for(step, starts())
    } else {
        Ok(())
    };
    let Err((code, sentence)) = room else {
        return start::push(step, message, None);
    };
    let element = message.element.filter(|&element| {
        step.state
            .element(element)
            .is_some_and(|element| element.is_active())
    });
    step.record(Record::Pushed(Box::new(message)));
    if let Some(element) = element {
        step.incident(element, code, sentence, None);
    }
}

/// A child has thrown an escalation that was not caught there: it propagates from the element that
/// waits for the child. Without such an element it is dropped.
fn escalated(
    step: &mut Step<'_>,
    child: &Child,
    code: &str,
    carried: Map<String, Value>,
    data: Option<Value>,
) {
    let waits = |element: &ElementKey| {
        child.start.awaited
            && step
                .state
                .element(*element)
                .is_some_and(|element| element.is_active())
    };
    if let Some(element) = child.start.element.filter(waits) {
        end::take_outputs(step, element, child, data);
        throwing::throw_escalation(step, element, Some(element), code, carried);
    }
}

fn receive_from_parent(
    step: &mut Step<'_>,
    from: InstanceKey,
    number: u64,
    message: InstanceMessage,
) {
    if number <= step.state.parent_received() || !step.state.status().is_live() {
        return;
    }
    step.record(Record::MessageReceived { from, number });
    match message {
        InstanceMessage::End { status } => step.end(status),
        InstanceMessage::ParentFinished => drop(step.record(Record::ParentFinished)),
        _ => {}
    }
}
