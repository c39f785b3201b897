//! Parent and child instances: what the one says to the other.
//!
//! Each instance decides alone; messages travel through the outbox in order and are taken once: the
//! receiver remembers the last number per open peer. A repeat, or a message from a peer it does not
//! know, leaves no record.
//!
//! Starting a child is in `start`, what its end means for the element that waits in `end`.

pub(super) mod end;
pub(super) mod start;

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

/// Takes a message of the parent or a child.
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
                    origin: Some(from),
                    body,
                    open_until: None,
                },
            );
        }
        InstanceMessage::Append { patch } if listens => step.merge_of_child(&child, patch),
        InstanceMessage::Escalation { code } if listens => escalated(step, &child, &code),
        InstanceMessage::Ended {
            status,
            result,
            error,
        } => end::child_ended(step, &child, status, result, error.as_deref()),
        InstanceMessage::StartDropped => end::record_end(step, &child, Status::Terminated),
        InstanceMessage::StartRefused { message } => end::start_refused(step, &child, &message),
        _ => {}
    }
}

/// Takes what a child sends up. An Action message for which there is no room is reported
/// nevertheless, but nobody can answer it.
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

/// A child has thrown an escalation that nothing there caught: it climbs on from the element that
/// waits for the child. One that nobody waits for escalates to nobody.
fn escalated(step: &mut Step<'_>, child: &Child, code: &str) {
    let waits = |element: &ElementKey| {
        child.start.awaited
            && step
                .state
                .element(*element)
                .is_some_and(|element| element.is_active())
    };
    if let Some(element) = child.start.element.filter(waits) {
        throwing::throw_escalation(step, element, Some(element), code);
    }
}

fn receive_from_parent(
    step: &mut Step<'_>,
    from: InstanceKey,
    number: u64,
    message: InstanceMessage,
) {
    if number <= step.state.parent_heard() || !step.state.status().is_live() {
        return;
    }
    step.record(Record::MessageReceived { from, number });
    match message {
        InstanceMessage::End { status } => step.end(status),
        InstanceMessage::ParentFinished => drop(step.record(Record::ParentFinished)),
        _ => {}
    }
}
