//! Ad-hoc subprocess: an embedded subprocess whose activities users start, by its actions, as often
//! and in whichever order they like (BPMN 2.0.2, 13.3.5).
//!
//! Its completion condition is evaluated when an activity in it completes, and at the end of a
//! path. Once it is true, no further activity in the subprocess can be started; active elements are
//! terminated, or awaited. Without a condition it completes when something was started and nothing
//! is active any more.
//!
//! `model::ad_hoc` has its actions, `actions::work` starts an activity.

use std::sync::Arc;

use serde_json::Value;

use super::own_work::Own;
use crate::{
    engine::{
        compensation,
        context::Step,
        record::{AdHocRecord, Record},
        state::{AdHocState, ElementInstance, Scope},
        subscription,
    },
    limits::ITEMS,
    model::{
        action::{Required, Trigger},
        ad_hoc::{Active, ExecutableAdHoc},
        executable::{ActionWork, ExecutableNode},
        ids::ElementKey,
        node_kind::SubProcess,
    },
};

/// Incident of an ad-hoc subprocess whose initial activities cannot be evaluated. A retry evaluates
/// them again, a skip starts none.
pub(in crate::engine) const ACTIVE_ELEMENTS: &str = "active_elements_error";
/// Incident of an element at whose end a completion condition cannot be evaluated. A retry
/// evaluates it again, a skip continues as if it were false.
pub(in crate::engine) const CONDITION: &str = "completion_condition_error";

pub(super) fn advance<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    subprocess: &SubProcess,
    ad_hoc: &ExecutableAdHoc,
) -> Own<'a> {
    let element = step.state.element(key);
    if element.is_some_and(|element| element.ad_hoc().is_none()) {
        match active_elements(step, key, subprocess, ad_hoc) {
            Ok(activities) => open(step, key, activities),
            Err((code, sentence)) => {
                step.incident(key, code, sentence, None);
                return Own::Waiting;
            }
        }
    }
    if is_complete(step, key, node, subprocess, ad_hoc) {
        Own::Done(node.outgoing.iter().collect())
    } else {
        Own::Waiting
    }
}

/// Opens the subprocess for users, and starts the initial activities.
pub(in crate::engine) fn open(step: &mut Step<'_>, key: ElementKey, activities: Vec<Arc<str>>) {
    step.record(Record::AdHoc(AdHocRecord::Opened { element: key }));
    for activity in activities {
        step.activate(&activity, Some(key), Vec::new());
    }
}

/// The activities that start together with the subprocess.
fn active_elements(
    step: &Step<'_>,
    key: ElementKey,
    subprocess: &SubProcess,
    ad_hoc: &ExecutableAdHoc,
) -> Result<Vec<Arc<str>>, (&'static str, String)> {
    let path = match &ad_hoc.active {
        None => return Ok(Vec::new()),
        Some(Active::Ids(ids)) => return Ok(ids.clone()),
        Some(Active::Path(path)) => path,
    };
    let expected = |found: String| {
        let sentence = format!(
            "expected under '{path}' a list of ids of activities that no flow enters, at most \
            {ITEMS}, but {found}; correct the data (patch) and retry"
        );
        (ACTIVE_ELEMENTS, sentence)
    };
    let variables = step.variables(key);
    let listed = match variables.at(path) {
        Some(Value::Array(listed)) if listed.len() <= ITEMS => listed,
        Some(Value::Array(listed)) => return Err(expected(format!("it has {}", listed.len()))),
        Some(_) => return Err(expected("there is another value".to_owned())),
        None => return Err(expected("there is nothing".to_owned())),
    };
    let activity = |id: &Value| {
        let found = id
            .as_str()
            .and_then(|id| subprocess.starts.iter().find(|start| ***start == *id));
        let shown = || id.to_string().chars().take(80).collect::<String>();
        found
            .cloned()
            .ok_or_else(|| expected(format!("{} in it is not one", shown())))
    };
    listed.iter().map(activity).collect()
}

/// Whether the subprocess has nothing left to wait for.
fn is_complete(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    subprocess: &SubProcess,
    ad_hoc: &ExecutableAdHoc,
) -> bool {
    let Some(element) = step.state.element(key) else {
        return false;
    };
    let scope = element.as_scope();
    if scope.is_some_and(|scope| scope.live() > 0) {
        return false;
    }
    let waits = scope.is_some_and(|scope| scope.waiting().next().is_some());
    if element.ad_hoc() == Some(AdHocState::Fulfilled) {
        if waits {
            step.record(Record::WaitingFlowsCleared { scope: Some(key) });
        }
        return true;
    }
    // Nothing could be started in it.
    if subprocess.starts.is_empty() || scope.is_some_and(Scope::is_interrupted) {
        return true;
    }
    // Tokens that wait at a join may be completed by an activity that a user starts.
    ad_hoc.condition.is_none()
        && !waits
        && (ad_hoc.active.is_some() || was_started(element, node) || has_ending_action(node))
}

/// Whether a user has started an activity in it.
fn was_started(element: &ElementInstance, node: &ExecutableNode) -> bool {
    let mut starting = node
        .all_actions()
        .filter(|action| matches!(action.work, ActionWork::StartActivity { .. }));
    starting.any(|action| element.counts(&action.name).1 > 0)
}

/// Whether users end it by running an action.
fn has_ending_action(node: &ExecutableNode) -> bool {
    node.actions
        .iter()
        .any(|action| action.trigger == Trigger::Manual && action.required == Required::Mandatory)
}

/// Whether an activity of an ad-hoc subprocess can be started now.
///
/// # Errors
/// The reason why it cannot be started.
pub(in crate::engine) fn can_start(
    element: &ElementInstance,
    node: &ExecutableNode,
) -> Result<(), &'static str> {
    let scope = element.as_scope();
    match element.ad_hoc() {
        // A subprocess whose completed activities are being compensated.
        None => Err("its activities cannot be started now"),
        Some(AdHocState::Fulfilled) => {
            Err("its completion condition is true: nothing begins there any more")
        }
        Some(AdHocState::Open) if scope.is_some_and(Scope::is_interrupted) => {
            Err("an event has interrupted it: nothing begins there any more")
        }
        Some(AdHocState::Open)
            if node.ad_hoc().is_some_and(|ad_hoc| ad_hoc.sequential)
                && scope.is_some_and(|scope| scope.live() > 0) =>
        {
            Err("its ordering is sequential and another activity is active; complete that first")
        }
        Some(AdHocState::Open) => Ok(()),
    }
}

/// Whether the completion of an element makes the completion condition of the ad-hoc subprocess
/// around it true. `None` when the condition cannot be evaluated, which is an incident.
pub(super) fn fulfils(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    ends_path: bool,
) -> Option<bool> {
    let Some((around, condition)) = open_ad_hoc(step, key) else {
        return Some(false);
    };
    let is_undoing = compensation::is_undoing(step, key, node);
    if is_undoing || node.for_compensation || !(ends_path || node.kind.is_activity()) {
        return Some(false);
    }
    match step.evaluator.condition(condition, &step.variables(around)) {
        Ok(is_true) => Some(is_true),
        Err(error) => {
            let sentence = format!(
                "the completion condition of the ad-hoc subprocess around '{}' cannot be decided: \
                {error}",
                node.id
            );
            step.incident(key, CONDITION, sentence, None);
            None
        }
    }
}

/// The open ad-hoc subprocess directly around an element, and the id of its condition.
fn open_ad_hoc<'a>(step: &Step<'a>, key: ElementKey) -> Option<(ElementKey, &'a str)> {
    let around = step.state.element(key)?.scope()?;
    let condition = step.node_of(around)?.ad_hoc()?.condition.as_deref()?;
    let is_open = step.state.element(around)?.ad_hoc() == Some(AdHocState::Open);
    is_open.then_some((around, condition))
}

/// Marks the completion condition as true: no further activity can be started, and no event begins
/// anything in it.
pub(super) fn fulfil(step: &mut Step<'_>, scope: Option<ElementKey>) {
    let Some(key) = scope else { return };
    subscription::close_scope(step, scope);
    step.record(Record::AdHoc(AdHocRecord::Fulfilled { element: key }));
    let ad_hoc = step.node_of(key).and_then(ExecutableNode::ad_hoc);
    if ad_hoc.is_some_and(|ad_hoc| ad_hoc.cancels_remaining) {
        step.empty(scope);
    }
}

/// Whether a scope is an ad-hoc subprocess whose completion condition is true.
pub(super) fn is_fulfilled(step: &Step<'_>, scope: Option<ElementKey>) -> bool {
    let element = scope.and_then(|scope| step.state.element(scope));
    element.is_some_and(|element| element.ad_hoc() == Some(AdHocState::Fulfilled))
}
