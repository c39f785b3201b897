//! Actions that the engine triggers: automatic actions when a node is activated, children after
//! their parent, due timers, and the remaining actions of a node after an incident. All of them
//! continue with the actions that have not been triggered yet.
//!
//! # Rationale
//!
//! **A delayed action fires even while its element has an incident**: it was triggered before,
//! and others do not wait for it.

use super::work::{self, Failure, Worked};
use crate::{
    engine::{
        command::TimerKey,
        context::Step,
        instance_outcome::other_decision,
        quotas,
        record::{Record, Remember},
        state::ElementInstance,
        throwing,
    },
    model::{
        action::{Required, Trigger},
        executable::{ExecutableAction, ExecutableNode},
        ids::{ElementKey, Time},
    },
};

/// Triggers every automatic action that is due now: the top-level actions in order, each followed
/// by the children that its last run triggers. Returns `false` when an incident stopped it.
pub(in crate::engine) fn run_automatic(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> bool {
    // What an action does triggers none of those before it again, so each is looked at once.
    for action in &node.actions {
        let is_untriggered = |step: &Step<'_>| {
            let element = step.state.element(key);
            element.is_some_and(|element| element.counts(&action.name).0 == 0)
        };
        if action.trigger == Trigger::Automatic
            && is_untriggered(step)
            && !trigger(step, key, action)
        {
            return false;
        }
        if !action.autorun_children {
            continue;
        }
        for child in action
            .children
            .iter()
            .filter(|child| runs_with_parent(child))
        {
            let is_behind = |step: &Step<'_>| {
                step.state.element(key).is_some_and(|element| {
                    let (_, completed) = element.counts(&action.name);
                    element.counts(&child.name).0 < completed
                })
            };
            while is_behind(step) {
                if !trigger(step, key, child) {
                    return false;
                }
            }
        }
    }
    true
}

fn runs_with_parent(child: &ExecutableAction) -> bool {
    child.trigger == Trigger::Automatic && child.required == Required::Mandatory
}

/// Triggers one automatic action, or starts its delay. Returns `false` when its work failed.
fn trigger(step: &mut Step<'_>, key: ElementKey, action: &ExecutableAction) -> bool {
    let Some(occurrence) = step
        .state
        .element(key)
        .map(|element| element.counts(&action.name).0 + 1)
    else {
        return false;
    };
    if let (true, Err(sentence)) = (action.timer.is_some(), quotas::for_delay(step)) {
        step.incident(
            key,
            quotas::DELAYED,
            sentence,
            Some((action.name.clone(), occurrence)),
        );
        return false;
    }
    if delay(step, key, action, occurrence, Remember::Nothing) {
        return true;
    }
    perform(step, key, action, occurrence, OnRecord::Nothing)
}

/// Starts the timer of a delayed action. Returns `false` when the action has no delay.
pub(super) fn delay(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    occurrence: u32,
    remember: Remember,
) -> bool {
    let Some(span) = &action.timer else {
        return false;
    };
    let due = step.now.plus(span).unwrap_or_else(Time::last);
    step.record(Record::ActionStarted {
        element: key,
        action: action.name.clone(),
        due: Some(due),
        remember,
    });
    step.set_timer(due, TimerKey::action(key, &action.name, occurrence));
    true
}

/// The records that a triggering already has when its work is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnRecord {
    /// None.
    Nothing,
    /// The record of its start.
    Started,
    /// The record of its completion: the work is repeated because a child that it started had no
    /// effect.
    Completed,
}

/// Does an action's work and records the result. Returns `false` when it is not done; the element
/// or the instance may have ended because of it.
pub(super) fn perform(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    occurrence: u32,
    on_record: OnRecord,
) -> bool {
    let start = |step: &mut Step<'_>| {
        if on_record == OnRecord::Nothing {
            let name = action.name.clone();
            step.record(Record::ActionStarted {
                element: key,
                action: name,
                due: None,
                remember: Remember::Nothing,
            });
        }
    };
    match work::perform(step, key, action, occurrence, &start) {
        Ok(Worked::Done) if on_record == OnRecord::Completed => true,
        Ok(Worked::Done) => {
            step.record(Record::ActionCompleted {
                element: key,
                action: action.name.clone(),
                occurrence,
            });
            true
        }
        Ok(Worked::Awaits) => true,
        Err(Failure::Incident(code, sentence)) => {
            start(step);
            let action = Some((action.name.clone(), occurrence));
            step.incident(key, code, sentence, action);
            false
        }
        Err(Failure::Thrown(error)) => {
            start(step);
            throwing::throw_from(step, key, error);
            false
        }
    }
}

/// Whether an element waits for one of its actions.
pub(in crate::engine) fn hold(element: Option<&ElementInstance>, node: &ExecutableNode) -> bool {
    let Some(element) = element else { return false };
    // An ad-hoc subprocess whose completion condition is true does not wait for users.
    let is_open = !element.is_closed_ad_hoc();
    node.actions.iter().any(|action| {
        let (_, completed) = element.counts(&action.name);
        holds(
            element,
            action,
            is_open && !is_decided(element, node, action),
        ) || action
            .children
            .iter()
            .any(|child| holds(element, child, is_open && completed > 0))
    })
}

/// Whether the action is one of the two of an approval, and the other one was run: one of them
/// suffices.
fn is_decided(element: &ElementInstance, node: &ExecutableNode, action: &ExecutableAction) -> bool {
    other_decision(node, action).is_some_and(|other| element.counts(&other.name).0 > 0)
}

fn holds(element: &ElementInstance, action: &ExecutableAction, offered: bool) -> bool {
    let state = element.action(&action.name);
    // A running synchronous child or call is awaited, even if the action was optional.
    if state.at_work() > 0 {
        return true;
    }
    let never_run = action.trigger == Trigger::Manual && state.started() == 0;
    let pending = !state.delayed().is_empty() && action.holds_token;
    offered && action.required == Required::Mandatory && (never_run || pending)
}

/// Does the work of a delayed action, unless the element or the triggering is gone.
pub(in crate::engine) fn fire_timer(step: &mut Step<'_>, timer: &TimerKey, action: &str) {
    let Some((key, node)) = timer
        .element
        .and_then(|key| Some((key, step.node_of(key)?)))
    else {
        return;
    };
    let Some(action) = node.action(action) else {
        return;
    };
    let pending = step.state.element(key).is_some_and(|element| {
        element.is_active()
            && element
                .delayed()
                .any(|(name, occurrence, _)| *name == action.name && occurrence == timer.occurrence)
    });
    if !pending || !step.state.status().is_live() {
        return;
    }
    step.clear_timer(timer.clone());
    if perform(step, key, action, timer.occurrence, OnRecord::Started) {
        step.queue(key);
    }
}
