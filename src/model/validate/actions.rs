//! The actions of a node: names, order, parents, and which fields are allowed together. Allowed
//! fields without effect: `effects`.

use std::collections::HashMap;

use super::{Report, keys, params};
use crate::{
    duration,
    model::{
        action::{Action, Required, Trigger, orders},
        definition::{ElementType, FlowNode},
        ids::Time,
    },
};

/// The manual action of a user task without any action. An action of the modeller may have the same
/// name if it means the same: something that a user does.
const BUILT_IN_ACTION: &str = "complete";

pub(super) fn check(node: &FlowNode, report: &mut Report) {
    let mut names = HashMap::new();
    let mut taken: HashMap<(Option<&str>, i64), &str> = HashMap::new();
    for ((number, action), order) in (1..).zip(&node.actions).zip(orders(&node.actions)) {
        report.name(&node.id, "action name", &action.name);
        if let Some(first) = names.insert(action.name.as_str(), number) {
            let message = format!(
                "expected each action name once in a node, but action {first} and action \
                {number} of it are both `{}`; rename one",
                action.name
            );
            report.error(&node.id, "duplicate_action", message);
        } else if let Some(other) = taken.insert((action.parent.as_deref(), order), &action.name) {
            let message = format!(
                "expected siblings to differ in their order, but actions `{other}` and `{}` both \
                have {order}; renumber one",
                action.name
            );
            report.error(&node.id, "order_tie", message);
        }
    }
    let by_name = node.actions.iter().rev();
    let by_name: HashMap<_, _> = by_name.map(|it| (it.name.as_str(), it)).collect();
    for action in &node.actions {
        let mut check = ActionCheck {
            node,
            action,
            report,
        };
        check.parent(&by_name);
        check.trigger();
        check.going_back();
        check.timer();
        params::check(&node.id, action, report);
    }
}

struct ActionCheck<'a> {
    node: &'a FlowNode,
    action: &'a Action,
    report: &'a mut Report,
}

impl ActionCheck<'_> {
    fn error(&mut self, code: &'static str, message: impl AsRef<str>) {
        let message = format!("action `{}`: {}", self.action.name, message.as_ref());
        self.report.error(&self.node.id, code, message);
    }

    /// `by_name` has all actions of the node; of those with the same name the first.
    fn parent(&mut self, by_name: &HashMap<&str, &Action>) {
        let Some(parent) = self.action.parent.as_deref() else {
            return;
        };
        match by_name.get(parent) {
            None => {
                self.error(
                    "unknown_parent",
                    format!(
                        "expected the parent to be an action of the node, but `{parent}` is not \
                        one; correct it"
                    ),
                );
            }
            Some(found) if found.parent.is_some() || parent == self.action.name => {
                let message = format!(
                    "expected one level of children, but the parent `{parent}` is a child \
                    itself; use its parent"
                );
                self.error("nested_parent", message);
            }
            Some(_) => {}
        }
    }

    fn trigger(&mut self) {
        let action = self.action;
        if action.trigger == Trigger::Manual {
            keys::check(
                &self.node.id,
                &format!("action `{}`", action.name),
                &action.keys,
                self.report,
            );
            return;
        }
        if action.required == Required::Optional {
            self.error(
                "optional_automatic",
                "expected an automatic action to be mandatory, but it is optional; make it \
                mandatory or manual",
            );
        }
        if !action.keys.is_empty() {
            self.error(
                "misplaced_keys",
                "expected keys on manual actions only, but it is automatic; make it manual or \
                remove the keys",
            );
        }
        if action.strict_keys {
            self.error(
                "misplaced_keys",
                "expected strictKeys on manual actions only, but it is automatic; remove it",
            );
        }
        if action.allow_back {
            self.error(
                "misplaced_allow_back",
                "expected allowBack on manual actions only, but it is automatic; remove it",
            );
        }
        if action.name == BUILT_IN_ACTION {
            let message = "expected `complete` to be a manual action, because the built-in action \
                of that name is manual, but it is automatic; rename it";
            self.error("reserved_name", message);
        }
    }

    fn going_back(&mut self) {
        let action = self.action;
        if action.allow_back
            && action.trigger == Trigger::Manual
            && self.node.kind == ElementType::EndEvent
        {
            self.error(
                "misplaced_allow_back",
                "expected allowBack on nodes the token leaves, but it ends in an end event; \
                remove it or put a task before",
            );
        }
        if !action.allow_back && action.restart_from_snapshot {
            self.error(
                "misplaced_restart",
                "expected restartFromSnapshot only with allowBack, but allowBack is false; set \
                it or remove this",
            );
        }
        if !action.allow_back && !action.restart_keys.is_empty() {
            self.error(
                "misplaced_restart",
                "expected restartKeys only with allowBack, but allowBack is false; set it or \
                remove them",
            );
        }
        let owner = format!("action `{}`", action.name);
        keys::check_paths(
            &self.node.id,
            &owner,
            "restartKey",
            action.restart_keys.iter().map(String::as_str),
            self.report,
        );
    }

    fn timer(&mut self) {
        let action = self.action;
        if !action.holds_token && action.trigger == Trigger::Manual {
            let message = "expected holdsToken=\"false\" on automatic actions only, but it is \
                manual; make it optional instead";
            self.error("misplaced_holds_token", message);
        } else if !action.holds_token && action.timer.is_none() {
            let message = "expected holdsToken=\"false\" only with a timer, but there is none; \
                add one or remove it";
            self.error("misplaced_holds_token", message);
        }
        if let Some(timer) = action.timer.as_deref().filter(|timer| !is_duration(timer)) {
            let message = format!(
                "expected a timer as ISO 8601 duration such as PT30S or P1DT2H, but got \
                `{timer}`; correct it"
            );
            self.error("invalid_timer", message);
        }
    }
}

/// Whether the text is a strict ISO 8601 duration that leads to a time not before now.
pub(super) fn is_duration(text: &str) -> bool {
    duration::parse(text).is_ok_and(|span| Time(0).plus(&span).is_some_and(|due| due >= Time(0)))
}
