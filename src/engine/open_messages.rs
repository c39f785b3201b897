//! Open Action messages: a client sends `done` for one, or starts a process from one; the end of an
//! instance closes them.
//!
//! The instance that sent a message decides about it, so of all commands that arrive at the same
//! time exactly one takes effect. How a message is opened: `subprocess::push`; what a step back
//! closes: `back`.
//!
//! # Why so
//!
//! **Whether an Action message is open is a matter of time, not of a timer.** Its record says
//! until when; readers leave out what is over, and the next one pushed takes the old ones out
//! of the state. So a finished instance has nothing armed and keeps its offers.
//!
//! **The instance that sent an Action message decides who answers it**, in its own row: a
//! `done` closes it, a start closes it and is sent as a message to the child, once the child's
//! process was seen to accept it. So one of those that come together wins, a refused start
//! leaves no trace, and a decided one takes place after a crash, too. All tabs derive the same
//! key from (instance, seq).

use super::{
    command::StartChild,
    context::Step,
    guards,
    instance_message::InstanceMessage,
    quotas,
    record::{ChildStarted, Record, Status},
    rejection::{Rejection, RejectionKind},
};

/// A client is done with a message.
pub(super) fn close(step: &mut Step<'_>, seq: u64) -> Result<(), Rejection> {
    guards::require_actor(step)?;
    require_open(step, seq)?;
    step.record(Record::OfferClosed { seq });
    Ok(())
}

/// A client starts a subprocess: from an open message, which is closed by it, or as an operator
/// without one. A repeat finds that it is started. The start itself travels to the subprocess, which
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
    // A step back that undoes who asked for the subprocess ends it. After the end no element is left
    // to stand for it.
    let asked = offer.and_then(|seq| step.state.open_message(seq, step.now)?.element());
    let element = asked.filter(|&element| step.state.element(element).is_some());
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

/// Closes what a finished instance has left open, as something ends with it.
pub(super) fn close_all(step: &mut Step<'_>) {
    let open: Vec<u64> = step.state.all_open().collect();
    for seq in open {
        step.record(Record::OfferClosed { seq });
    }
}

/// Why nothing starts below an instance that has ended.
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
