//! Fields and actions that are allowed in their places but have no effect there: warnings, because
//! the modeller expected an effect.

use super::Report;
use crate::model::{
    action::{Action, ActionType, Required, Trigger},
    definition::{ElementType, FlowNode},
};

pub(super) fn check(node: &FlowNode, report: &mut Report) {
    for action in &node.actions {
        let mut warn = |code: &'static str, message: &str| {
            report.warning(
                &node.id,
                code,
                format!("action `{}`: {message}", action.name),
            );
        };
        for (useless, message) in [
            (
                restart_keys_alone(action),
                "expected restartKeys beside restartFromSnapshot, but it is false: data stay as \
                they are",
            ),
            (
                action.autorun_children && !has_automatic_child(node, action),
                "expected automatic children for autorunChildren, but there are none, so nothing runs",
            ),
            (
                action.repeatable
                    && action.trigger == Trigger::Automatic
                    && action.parent.is_none(),
                "expected repeatable on manual actions and children, but the engine triggers \
                this one once in a visit",
            ),
            (
                action.allow_back && !node.can_go_back,
                "expected allowBack on a node that can be gone back to, but canGoBack is false: \
                once completed, the node is closed",
            ),
            (
                does_nothing(node, action),
                "expected work, a timer or children, but an automatic saveData has nothing to save",
            ),
        ] {
            if useless {
                warn("no_effect", message);
            }
        }
        if is_unrun_child(node, action) {
            warn(
                "never_runs",
                "expected autorunChildren on the parent of an automatic action, but it is false: \
                this never runs",
            );
        }
        if is_passed_by(node, action) {
            warn(
                "never_runs",
                "expected an action that holds the token, but all actions are optional: the token \
                leaves at once",
            );
        }
    }
}

fn restart_keys_alone(action: &Action) -> bool {
    action.allow_back && !action.restart_from_snapshot && !action.restart_keys.is_empty()
}

fn children<'a>(node: &'a FlowNode, parent: &'a Action) -> impl Iterator<Item = &'a Action> {
    node.actions
        .iter()
        .filter(|action| action.parent.as_ref() == Some(&parent.name))
}

fn has_automatic_child(node: &FlowNode, action: &Action) -> bool {
    children(node, action).any(|child| child.trigger == Trigger::Automatic)
}

fn does_nothing(node: &FlowNode, action: &Action) -> bool {
    action.trigger == Trigger::Automatic
        && action.work == ActionType::SaveData
        && action.timer.is_none()
        && children(node, action).next().is_none()
}

fn is_unrun_child(node: &FlowNode, action: &Action) -> bool {
    let parent = node
        .actions
        .iter()
        .find(|parent| action.parent.as_ref() == Some(&parent.name));
    action.trigger == Trigger::Automatic && parent.is_some_and(|parent| !parent.autorun_children)
}

/// An optional manual action of a node where nothing makes the token wait.
fn is_passed_by(node: &FlowNode, action: &Action) -> bool {
    let optional = action.trigger == Trigger::Manual && action.required == Required::Optional;
    // An ad-hoc subprocess waits for its contents.
    let waits = node.kind == ElementType::AdHocSubProcess || node.actions.iter().any(may_hold);
    optional && action.parent.is_none() && !waits
}

/// Whether the token may have to wait for it. Children can only hold the token if something lets
/// their parent run.
fn may_hold(action: &Action) -> bool {
    let waits_for_answer = matches!(
        action.work,
        ActionType::StartSubprocess {
            asynchronous: false,
            ..
        } | ActionType::HttpRequest(_)
    );
    action.required == Required::Mandatory
        && match action.trigger {
            Trigger::Manual => action.parent.is_none(),
            Trigger::Automatic => {
                waits_for_answer || (action.timer.is_some() && action.holds_token)
            }
        }
}
