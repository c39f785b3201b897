//! Ad-hoc subprocesses: their contents, which activities their actions and `activeElements` start,
//! and where their fields and actions are allowed.
//!
//! Not here: whether the condition compiles (`expression`).

use std::collections::{BTreeSet, HashSet};

use super::{Report, back_steps};
use crate::model::{
    action::{Action, ActionType, Trigger},
    ad_hoc::{ActiveElements, AdHoc, START_ACTIVITY},
    definition::{ElementType, FlowNode, ProcessDefinition},
    entry_points::EntryPoints,
    path::DataPath,
};

/// Checks one node by itself.
pub(super) fn check_node(node: &FlowNode, report: &mut Report) {
    let is_ad_hoc = node.kind == ElementType::AdHocSubProcess;
    if node.ad_hoc.is_some() && !is_ad_hoc {
        let message = format!(
            "expected `adHoc` on ad-hoc subprocesses only, but this is a {}; remove it",
            node.kind.bpmn_name()
        );
        report.error(&node.id, "misplaced_ad_hoc", message);
    } else if let Some(ad_hoc) = &node.ad_hoc {
        check_fields(node, ad_hoc, report);
    }
    for action in &node.actions {
        if matches!(action.work, ActionType::StartActivity { .. }) {
            check_action(node, action, report);
        }
    }
}

fn check_fields(node: &FlowNode, ad_hoc: &AdHoc, report: &mut Report) {
    let condition = ad_hoc.completion_condition.as_deref();
    if condition.is_some_and(|condition| ["", "${}"].contains(&condition.trim())) {
        let message = "expected a completion condition such as ${solved == true}, but it is empty; \
            write one, or remove it";
        report.error(&node.id, "invalid_condition", message);
    }
    if ad_hoc.sequential && ad_hoc.active_elements.is_some() {
        let message = "expected `activeElements` in a parallel ad-hoc subprocess only, as they all \
            start at once, but its ordering is sequential; draw flows between them instead";
        report.error(&node.id, "sequential_active_elements", message);
    }
    if let Some(ActiveElements::Path(path)) = &ad_hoc.active_elements
        && let Err(sentence) = DataPath::parse(path)
    {
        let message = format!(
            "activeElements: expected the path of a list, or a JSON list of ids, but `{path}` is \
            neither: {sentence}"
        );
        report.error(&node.id, "invalid_path", message);
    }
    if !ad_hoc.cancel_remaining_instances && condition.is_none() {
        let message = "expected `cancelRemainingInstances` beside a completion condition only, but \
            there is none: nothing is cancelled anyway";
        report.warning(&node.id, "no_effect", message);
    }
}

fn check_action(node: &FlowNode, action: &Action, report: &mut Report) {
    let mut error = |code, sentence: String| {
        let message = format!("action `{}`: {sentence}", action.name);
        report.error(&node.id, code, message);
    };
    if node.kind != ElementType::AdHocSubProcess {
        let sentence = format!(
            "expected type {START_ACTIVITY} on ad-hoc subprocesses only, but this is a {}; draw a \
            flow to the activity",
            node.kind.bpmn_name()
        );
        return error("misplaced_start_activity", sentence);
    }
    if action.trigger == Trigger::Automatic {
        let sentence = format!(
            "expected type {START_ACTIVITY} on manual actions only, but it is automatic; name what \
            starts with the subprocess as `activeElements`"
        );
        error("automatic_start_activity", sentence);
    }
    if action.timer.is_some() {
        let sentence = "expected no timer on an action that starts an activity, but there is one; \
            draw a timer event before the activity"
            .to_owned();
        error("misplaced_timer", sentence);
    }
}

/// Checks the nodes in and around ad-hoc subprocesses.
pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    let is_ad_hoc = |node: &&FlowNode| node.kind == ElementType::AdHocSubProcess;
    let ids: HashSet<&str> = definition
        .nodes
        .iter()
        .filter(is_ad_hoc)
        .map(|node| node.id.as_str())
        .collect();
    if ids.is_empty() {
        return;
    }
    let entry_points = EntryPoints::of(definition);
    for node in definition.nodes.iter().filter(is_ad_hoc) {
        let activities = entry_points.implicit(Some(&node.id));
        let activities: BTreeSet<&str> = activities.iter().map(|node| node.id.as_str()).collect();
        check_started(node, &activities, report);
    }
    for node in &definition.nodes {
        let around = node.scope.as_deref().filter(|scope| ids.contains(scope));
        let ends = matches!(node.kind, ElementType::StartEvent | ElementType::EndEvent);
        if let Some(around) = around.filter(|_| ends) {
            let message = format!(
                "expected no start and no end event in ad-hoc subprocess `{around}`, as users start \
                its activities and it ends by its condition, but this is a {}; remove it",
                node.kind.bpmn_name()
            );
            report.error(&node.id, "event_in_ad_hoc", message);
        }
    }
    check_back_steps(definition, &ids, report);
}

/// Checks that its actions and `activeElements` name activities that can be started.
fn check_started(node: &FlowNode, activities: &BTreeSet<&str>, report: &mut Report) {
    let unknown = |id: &str| {
        format!(
            "expected a node in `{}` that no flow enters, as others are reached by flows, but \
            `{id}` is not one; correct it",
            node.id
        )
    };
    let mut started: HashSet<&str> = HashSet::new();
    for action in &node.actions {
        if let ActionType::StartActivity { activity } = &action.work {
            if !activities.contains(activity.as_str()) {
                let message = format!("action `{}`: {}", action.name, unknown(activity));
                report.error(&node.id, "unknown_activity", message);
            }
            started.insert(activity);
        }
    }
    let ad_hoc = node.ad_hoc.as_ref();
    if let Some(ActiveElements::Ids(ids)) = ad_hoc.and_then(|it| it.active_elements.as_ref()) {
        for id in ids.iter().filter(|id| !activities.contains(id.as_str())) {
            let message = format!("activeElements: {}", unknown(id));
            report.error(&node.id, "unknown_activity", message);
        }
    }
    let names: HashSet<&str> = node.actions.iter().map(|it| it.name.as_str()).collect();
    for activity in activities.iter().filter(|id| !started.contains(*id)) {
        if names.contains(activity) {
            let message = format!(
                "action `{activity}`: expected a name that is not the id of an activity that is \
                started by that name, but `{activity}` is; rename the action, or make it start the \
                activity"
            );
            report.error(&node.id, "reserved_name", message);
        }
    }
}

/// Without order there are no back steps.
fn check_back_steps(definition: &ProcessDefinition, ids: &HashSet<&str>, report: &mut Report) {
    let found = back_steps::in_closed(definition, |outer, _| ids.contains(&*outer.id));
    for (node, action, outer) in found {
        let message = format!(
            "action `{}`: expected no allowBack in an ad-hoc subprocess, but `{}` is one, and the \
            order in which its activities ran is not known; remove allowBack",
            action.name, outer.id
        );
        report.error(&node.id, "back_in_ad_hoc", message);
    }
}
