//! What stops or ends an instance from outside: hold and unhold, terminate, dismiss, expiry.
//!
//! Hold blocks the work of users, and no timer is armed. Messages between instances are still
//! taken, but no token moves; `unhold` catches up in the order things were due, and arms the rest.
//! How an instance ends with everything in it: `end`. What ends it from within: `elements`.
//!
//! # Why so
//!
//! **A held instance still takes messages of other instances**, so nothing piles up elsewhere;
//! but tokens do not move, and `unhold` asks every active element what it can do now.

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
    triggering,
};
use crate::model::ids::{ElementKey, Time};

/// Lets nothing happen from here on.
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
    // Else the clock would bring what is due again and again, in front of what others wait for.
    for (_, timer) in pending(step) {
        step.clear_timer(timer);
    }
    Ok(())
}

/// Lets the instance continue: messages and signals that came meanwhile are taken first, in their
/// order, then what became due is done, in the order it was due, then tokens move.
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
    step.record(Record::Unheld);
    let (overdue, later): (Vec<_>, Vec<_>) = pending(step)
        .into_iter()
        .partition(|(due, _)| *due <= step.now);
    // Armed before anything fires: an expiry that fires clears them all.
    for (due, timer) in later {
        step.set_timer(due, timer);
    }
    for delivery in held {
        triggering::deliver(step, delivery);
    }
    for (_, timer) in overdue {
        fire_timer(step, &timer);
    }
    conditions::look_again(step);
    let active: Vec<ElementKey> = step.state.active().map(|(key, _)| key).collect();
    active.into_iter().for_each(|element| step.queue(element));
    Ok(())
}

/// What waits for its time, in the order it is due.
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

/// A timer is due. One that was in progress when the instance was held has no effect: `unhold`
/// comes back to it.
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

/// Ends the instance and everything live below it. One that has finished keeps its status: what it
/// has left running or open ends, and nothing starts below it any more. A repeat changes nothing.
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

/// Ends with an instance further up, which sees to all that is below it: no message to the
/// descendants is needed here. One that has finished starts nothing from its messages any more.
pub(super) fn end_with_ancestor(step: &mut Step<'_>) {
    if step.state.status().is_live() {
        step.end_below_an_end();
    } else {
        open_messages::close_all(step);
    }
}

/// A user ends a subprocess.
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

/// Holding and ending need the right at a node where a token is; without a token, at any node.
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
