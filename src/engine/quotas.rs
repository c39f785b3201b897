//! Limits of what an instance accumulates: children, open Action messages, delayed actions,
//! participants.
//!
//! A client's command beyond a limit is refused. When the process itself exceeds a limit, that is
//! an incident, and a retry checks again.

use super::context::Step;
use crate::limits;

/// Incident of an element that would start one child too many.
pub(super) const CHILDREN: &str = "child_limit";
/// Incident of an element that would leave one Action message too many open.
pub(super) const OPEN_MESSAGES: &str = "open_message_limit";
/// Incident of an element that would own more variables than the instance may have. It has not
/// begun: a retry checks again.
pub(super) const VARIABLES: &str = "variable_limit";
/// Incident of an action that would be delayed beyond the limit. It was not triggered: a retry
/// triggers it.
pub(super) const DELAYED: &str = "timer_limit";

/// Whether this many more children may be started: below this level, in this tree, by this
/// instance.
///
/// # Errors
/// The sentence for the incident.
pub(super) fn for_children(step: &Step<'_>, more: usize) -> Result<(), String> {
    if more == 0 {
        return Ok(());
    }
    let head = step.state.head();
    if head.level() as usize >= step.limits.levels {
        return Err(format!(
            "expected at most {} levels of subprocesses, but '{}' is on the last one: does it call \
            itself, directly or through others? Give the call a condition that becomes false",
            step.limits.levels, head.process.id
        ));
    }
    if step.children_begun + more > step.tree_room {
        return Err(format!(
            "expected room for {more} more in the tree of instances of {}, but its live \
            instances have reached the limit for one tree: retry when others have ended",
            head.root()
        ));
    }
    if step.state.children().len() + more <= step.limits.children {
        return Ok(());
    }
    Err(format!(
        "expected at most {} subprocesses of one instance, ended ones included, but there would \
        be more: start another instance for the rest",
        step.limits.children
    ))
}

/// Whether a client may start one more child, with the reasons of [`for_children`].
///
/// # Errors
/// The sentence for the refusal.
pub(super) fn for_clients_child(step: &Step<'_>) -> Result<(), String> {
    let (what, maximum) = if step.state.children().len() >= step.limits.children {
        (
            "subprocesses of one instance, ended ones included",
            step.limits.children,
        )
    } else if step.state.head().level() as usize >= step.limits.levels {
        (
            "levels of subprocesses below one another",
            step.limits.levels,
        )
    } else if step.tree_room == 0 {
        ("live instances of one tree", limits::TREE_INSTANCES.get())
    } else {
        return Ok(());
    };
    Err(format!(
        "expected at most {maximum} {what}, but this is one more: start it as a root instance"
    ))
}

/// Whether one more Action message may stay open.
///
/// # Errors
/// Same as [`for_children`].
pub(super) fn for_open_message(step: &Step<'_>) -> Result<(), String> {
    if step.state.open(step.now).count() < step.limits.open_messages {
        return Ok(());
    }
    Err(format!(
        "expected at most {} open Action messages of one instance, but this is one more: let \
        clients answer them, or send `done` for them, then retry",
        step.limits.open_messages
    ))
}

/// Whether elements may own this many more bytes of variables.
///
/// # Errors
/// The incident's code and sentence.
pub(super) fn for_variables(step: &Step<'_>, more: usize) -> Result<(), (&'static str, String)> {
    if step.state.owned_bytes() + more <= step.limits.variable_bytes {
        return Ok(());
    }
    let sentence = format!(
        "expected at most {} bytes of variables that the elements of one instance own together, \
        but with {more} more there would be more: map less, or retry when others have completed",
        step.limits.variable_bytes
    );
    Err((VARIABLES, sentence))
}

/// Whether one more triggering may be delayed.
///
/// # Errors
/// Same as [`for_children`].
pub(super) fn for_delay(step: &Step<'_>) -> Result<(), String> {
    let delayed: usize = step
        .state
        .active()
        .map(|(_, element)| element.delayed().count())
        .sum();
    if delayed < step.limits.delayed {
        return Ok(());
    }
    Err(format!(
        "expected at most {} delayed actions of one instance, but this is one more: try again when \
        others have run",
        step.limits.delayed
    ))
}

/// Whether a client may start one more activity.
///
/// # Errors
/// The sentence for the refusal.
pub(super) fn for_activity(step: &Step<'_>) -> Result<(), String> {
    let maximum = step.limits.active_elements;
    if step.state.active_count() < maximum {
        return Ok(());
    }
    Err(format!(
        "expected at most {maximum} active elements of one instance, but this is one more: try again \
        when others have completed"
    ))
}

/// Whether one more subject may become a participant.
pub(super) fn for_participant(step: &Step<'_>, user: &str) -> bool {
    let participants = step.state.members().participants;
    participants.contains(user) || participants.len() < step.limits.participants
}
