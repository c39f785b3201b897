//! Fields and actions that are allowed in their places but have no effect there: warnings, because
//! the modeller expected an effect.

use std::collections::HashMap;

use super::Report;
use crate::model::{
    action::{Action, ActionType, Required, Trigger},
    definition::{ElementType, FlowNode},
};

pub(super) fn check(node: &FlowNode, report: &mut Report) {
    let actions = Actions::of(node);
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
                action.autorun_children && !actions.has_automatic_child(action),
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
                actions.does_nothing(action),
                "expected work, a timer or children, but an automatic saveData has nothing to save",
            ),
        ] {
            if useless {
                warn("no_effect", message);
            }
        }
        if actions.is_unrun_child(action) {
            warn(
                "never_runs",
                "expected autorunChildren on the parent of an automatic action, but it is false: \
                this never runs",
            );
        }
        if actions.is_passed_by(action) {
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

/// The actions of a node, by what the checks ask for.
struct Actions<'a> {
    by_name: HashMap<&'a str, &'a Action>,
    children: HashMap<&'a str, Vec<&'a Action>>,
    /// Whether the token may have to wait in the node.
    waits: bool,
}

impl<'a> Actions<'a> {
    fn of(node: &'a FlowNode) -> Self {
        let mut children: HashMap<_, Vec<_>> = HashMap::new();
        for action in &node.actions {
            if let Some(parent) = action.parent.as_deref() {
                children.entry(parent).or_default().push(action);
            }
        }
        // Of those with the same name the first one stays.
        let by_name = node.actions.iter().rev();
        Self {
            by_name: by_name.map(|it| (it.name.as_str(), it)).collect(),
            children,
            // An ad-hoc subprocess waits for its contents.
            waits: node.kind == ElementType::AdHocSubProcess || node.actions.iter().any(may_hold),
        }
    }

    fn children(&self, parent: &Action) -> &[&'a Action] {
        let children = self.children.get(parent.name.as_str());
        children.map_or(&[], Vec::as_slice)
    }

    fn has_automatic_child(&self, action: &Action) -> bool {
        let mut children = self.children(action).iter();
        children.any(|child| child.trigger == Trigger::Automatic)
    }

    fn does_nothing(&self, action: &Action) -> bool {
        action.trigger == Trigger::Automatic
            && action.work == ActionType::SaveData
            && action.timer.is_none()
            && self.children(action).is_empty()
    }

    fn is_unrun_child(&self, action: &Action) -> bool {
        let parent = action.parent.as_deref();
        let parent = parent.and_then(|name| self.by_name.get(name));
        let runs_children = parent.is_none_or(|parent| parent.autorun_children);
        action.trigger == Trigger::Automatic && !runs_children
    }

    /// An optional manual action of a node where nothing makes the token wait.
    fn is_passed_by(&self, action: &Action) -> bool {
        let optional = action.trigger == Trigger::Manual && action.required == Required::Optional;
        optional && action.parent.is_none() && !self.waits
    }
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
