//! Open Action messages: a client sends `done` for one, or starts a process from one; the end of an
//! instance closes them.
//!
//! The instance that sent a message decides about it, so of all commands that arrive at the same
//! time exactly one takes effect. `subprocess::push` opens a message, `back` closes those of a back
//! step.
//!
//! # Rationale
//!
//! **Whether an Action message is open depends on the time, not on a timer.** Its record says until
//! when it is open; readers leave out expired ones, and the next pushed message removes them from
//! the state. So a finished instance has no timer and keeps its open messages.
//!
//! **The instance that sent an Action message decides on responses to it**, in its own row: a
//! `done` closes it; a start closes it and is sent as a message to the child, after it was checked
//! that the child's process accepts it. So one of several simultaneous responses takes effect, a
//! refused start leaves no trace, and an accepted one takes place even after a crash. All tabs
//! derive the same key from (instance, seq).

use super::{
    command::StartChild,
    context::Step,
    guards,
    instance_message::InstanceMessage,
    quotas,
    record::{ChildStarted, Record, Status},
    rejection::{Rejection, RejectionKind},
};

/// Closes a message that a client has dismissed.
pub(super) fn close(step: &mut Step<'_>, seq: u64) -> Result<(), Rejection> {
    guards::require_actor(step)?;
    require_open(step, seq)?;
    step.record(Record::OfferClosed { seq });
    Ok(())
}

/// Starts a subprocess for a client: from an open message, which is closed, or without one for an
/// operator. A repetition finds the subprocess started. The start is sent to the subprocess, which
/// accepts it, as the caller has checked.
pub(super) fn start_child(step: &mut Step<'_>, start: StartChild) -> Result<(), Rejection> {
    let StartChild {
        head,
        start_condition,
        offer,
        command,
    } = start;
    let child = head.key;
    if step.state.children().contains_key(&child) {
        return Ok(());
    }
    if let Some(seq) = offer {
        require_open(step, seq)?;
    }
    let status = step.state.status();
    if !status.is_live() && status != Status::Finished || step.state.descendants_ended() {
        return Err(Rejection::new(
            RejectionKind::Conflict,
            nothing_starts_below(&step.state.key().to_string(), status.name()),
        ));
    }
    quotas::for_clients_child(step)
        .map_err(|sentence| Rejection::new(RejectionKind::Conflict, sentence))?;
    // A back step that undoes the element of the message ends the subprocess. After the end of the
    // instance no element is left.
    let sender = offer.and_then(|seq| step.state.open_message(seq, step.now)?.element());
    let element = sender.filter(|&element| step.state.element(element).is_some());
    step.record(Record::ChildStarted(Box::new(ChildStarted {
        child,
        process: head.process.id.clone(),
        element,
        action: None,
        awaited: false,
        received: 0,
    })));
    step.children_begun += 1;
    if let Some(seq) = offer {
        step.record(Record::OfferClosed { seq });
    }
    step.send(
        child,
        InstanceMessage::Start {
            head: Box::new(head),
            start_condition,
            command: Some(command),
        },
    );
    if status == Status::Finished {
        step.send(child, InstanceMessage::ParentFinished);
    }
    Ok(())
}

/// Closes the open messages of a finished instance, because an instance above it has ended or it
/// was terminated.
pub(super) fn close_all(step: &mut Step<'_>) {
    let open: Vec<u64> = step.state.all_open().collect();
    for seq in open {
        step.record(Record::OfferClosed { seq });
    }
}

/// The reason why nothing starts below an instance that has ended.
pub fn nothing_starts_below(instance: &str, status: &str) -> String {
    let ended = if status == Status::Finished.name() {
        "was terminated after it had finished".to_owned()
    } else {
        format!("is {status}")
    };
    format!(
        "expected an instance that may start subprocesses, but {instance} {ended}, and no \
        subprocess of it can start any more: start the process as a root instance"
    )
}

fn require_open(step: &Step<'_>, seq: u64) -> Result<(), Rejection> {
    if step.state.open_message(seq, step.now).is_some() {
        return Ok(());
    }
    let sentence = format!(
        "expected the seq of an open Action message, but {seq} is not open: it was answered \
        already, it has expired, its instance was ended, a step back has undone it, or it never \
        was one"
    );
    Err(Rejection::new(RejectionKind::Conflict, sentence))
}
