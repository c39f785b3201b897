//! Commands that stop or end an instance: hold and unhold, terminate, dismiss; and its expiry.
//!
//! A hold blocks the actions of users and clears all timers. Messages between instances are still
//! received, but no token moves. `unhold` does the work that became due meanwhile, in the order of
//! due times, and sets the other timers. `end` ends an instance with all that is active in it;
//! `elements` has the ends from within.
//!
//! # Rationale
//!
//! **An instance on hold still receives the messages of other instances**, so that none pile up
//! elsewhere. Tokens do not move; `unhold` then lets every active element continue as far as it
//! can.

use std::collections::BTreeSet;

use super::{
    access::Right,
    actions::automatic,
    command::{TimerKey, TimerKind},
    conditions,
    context::Step,
    due_date,
    guards::{forbidden, require_actor, require_execute, require_live},
    open_messages,
    record::{Record, Status},
    rejection::{Rejection, RejectionKind},
    state::{Call, ElementInstance},
    triggering,
};
use crate::model::{
    executable::ExecutableNode,
    ids::{ElementKey, Time},
};

/// Puts the instance on hold.
pub(super) fn hold(step: &mut Step<'_>) -> Result<(), Rejection> {
    require_hold_right(step, "hold")?;
    require_live(step)?;
    if step.state.status() == Status::OnHold {
        return Err(Rejection::new(
            RejectionKind::Conflict,
            "expected an instance that is not on hold, but this one already is",
        ));
    }
    step.record(Record::Held);
    // Otherwise the clock would fire timers that are due again and again, before those of other
    // instances.
    for (_, timer) in pending(step) {
        step.clear_timer(timer);
    }
    Ok(())
}

/// Releases the instance from hold: stored messages and signals are processed first, in their
/// order, then due timers fire, in the order of their times, then tokens move.
pub(super) fn unhold(step: &mut Step<'_>) -> Result<(), Rejection> {
    require_hold_right(step, "unhold")?;
    require_live(step)?;
    if step.state.status() != Status::OnHold {
        return Err(Rejection::new(
            RejectionKind::Conflict,
            "expected an instance on hold, but this one is not",
        ));
    }
    let held = step.state.held_deliveries().to_vec();
    step.ended_calls = ended_calls(step);
    step.record(Record::Unheld);
    let (overdue, later): (Vec<_>, Vec<_>) = pending(step)
        .into_iter()
        .partition(|(due, _)| *due <= step.now);
    // Set before anything fires, because an expiry that fires clears all timers.
    for (due, timer) in later {
        step.set_timer(due, timer);
    }
    for delivery in held {
        triggering::deliver(step, delivery);
    }
    for (_, timer) in overdue {
        fire_timer(step, &timer);
    }
    conditions::mark_all(step);
    let active: Vec<ElementKey> = step.state.active().map(|(key, _)| key).collect();
    active.into_iter().for_each(|element| step.queue(element));
    Ok(())
}

/// The calls that have ended on hold, and whose result only output mappings have written: as without
/// hold, these do not trigger their boundary events.
fn ended_calls(step: &Step<'_>) -> BTreeSet<ElementKey> {
    let is_ended = |(key, element): &(ElementKey, &ElementInstance)| {
        let call = step.node_of(*key).and_then(ExecutableNode::call);
        element.call() == Some(&Call::Done)
            && call.is_some_and(|call| call.output_key.is_none() && !call.takes_all)
    };
    let ended = step.state.active().filter(is_ended);
    ended.map(|(key, _)| key).collect()
}

/// The timers of the instance, in the order of their times.
fn pending(step: &Step<'_>) -> Vec<(Time, TimerKey)> {
    let events_and_actions = step.state.timers().map(|timer| (timer.due, timer.key));
    let expiry = step
        .state
        .head()
        .expires_at
        .map(|due| (due, TimerKey::expiry()));
    let mut pending: Vec<(Time, TimerKey)> = events_and_actions.chain(expiry).collect();
    pending.sort();
    pending
}

/// Fires a timer. One that was already on its way when the instance was put on hold has no effect;
/// `unhold` fires it.
pub(super) fn fire_timer(step: &mut Step<'_>, timer: &TimerKey) {
    match step.state.status() {
        Status::OnHold => {}
        status if !status.is_live() => {}
        _ => match &timer.kind {
            TimerKind::Expiry => step.end(Status::Expired),
            TimerKind::Reminder => due_date::remind(step, timer),
            TimerKind::Event(node) => triggering::fire_timer(step, timer, node),
            TimerKind::Action(action) => automatic::fire_timer(step, timer, action),
        },
    }
}

/// Terminates the instance and all live instances below it. A finished instance keeps its status:
/// its running subprocesses and open messages end, and nothing starts below it any more. A
/// repetition changes nothing.
pub(super) fn terminate(step: &mut Step<'_>) -> Result<(), Rejection> {
    require_hold_right(step, "terminate")?;
    if step.state.descendants_ended() {
        return Ok(());
    }
    if step.state.has_left_something() {
        open_messages::close_all(step);
        step.record(Record::DescendantsEnded);
        step.end_descendants();
        return Ok(());
    }
    require_live(step)?;
    step.end(Status::Terminated);
    Ok(())
}

/// Ends the instance together with one above it, whose end reaches all instances below; no message
/// to them is needed here. A finished instance starts nothing from its messages any more.
pub(super) fn end_with_ancestor(step: &mut Step<'_>) {
    if step.state.status().is_live() {
        step.end_below_an_end();
    } else {
        open_messages::close_all(step);
    }
}

/// Ends a subprocess on behalf of its user.
pub(super) fn dismiss(step: &mut Step<'_>) -> Result<(), Rejection> {
    require_actor(step)?;
    require_live(step)?;
    let may = step
        .state
        .active()
        .any(|(element, _)| require_execute(step, element).is_ok());
    if !may {
        return Err(forbidden(
            "expected a user who may act where a token is, but this user may not",
        ));
    }
    if step.state.head().parent.is_none() {
        let sentence =
            "expected a subprocess, but this instance was started by itself: terminate it instead";
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    step.end(Status::Dismissed);
    Ok(())
}

/// Hold and terminate need the right at a node that has a token; without a token, at any node.
fn require_hold_right(step: &Step<'_>, what: &str) -> Result<(), Rejection> {
    let Some(caller) = step.caller else {
        return Ok(());
    };
    let members = step.state.members();
    let may = |node| members.may(step.process, caller, Right::Hold, node);
    let mut here = step
        .state
        .active()
        .filter_map(|(_, element)| step.process.node(element.node()))
        .peekable();
    let allowed = if here.peek().is_some() {
        here.any(may)
    } else {
        step.process.nodes().iter().any(may)
    };
    if allowed {
        return Ok(());
    }
    Err(forbidden(&format!(
        "expected a user who may {what} this instance, but neither membership nor a role allows it"
    )))
}
