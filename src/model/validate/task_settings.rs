//! The settings of a user task: which are allowed together, and whether their values are valid as
//! far as is known.

use serde_json::Value;

use super::{Report, actions::is_duration};
use crate::model::{
    action::{APPROVE, Action, COMMENT, REJECT, Trigger},
    computed_template::ComputedTemplate,
    definition::{ElementType, FlowNode},
    ids::Time,
    path::DataPath,
    task_settings::{self, UserTask},
};

/// The shortest time between two reminders, in milliseconds.
const SHORTEST_REPEAT: i64 = 60_000;

pub(super) fn check(node: &FlowNode, report: &mut Report) {
    if is_approval(node) {
        check_comment(node, report);
    }
    let Some(task) = &node.task else { return };
    if node.kind != ElementType::UserTask {
        let message = format!(
            "expected `task` on user tasks only, but this is a {}; remove it",
            node.kind.bpmn_name()
        );
        return report.error(&node.id, "misplaced_task", message);
    }
    check_template(
        node,
        "assignee",
        task.assignee.as_deref(),
        |value| task_settings::subject(value).map(drop),
        report,
    );
    check_template(
        node,
        "dueDate",
        task.due_date.as_deref(),
        |value| task_settings::due(value, Time(0)).map(drop),
        report,
    );
    check_reminder(node, task, report);
    for role in &task.candidate_groups {
        report.name(&node.id, "candidate group", role);
    }
    let Some(path) = task.decision_key.as_deref() else {
        return;
    };
    if !is_approval(node) {
        let message = "expected a decisionKey on approvals only, but this user task lacks manual \
            actions `approve` and `reject`; add them or remove it";
        report.error(&node.id, "misplaced_decision_key", message);
    }
    if let Err(sentence) = DataPath::parse_members(path) {
        report.error(&node.id, "invalid_path", format!("decisionKey: {sentence}"));
    }
}

/// Checks a template, and its value if it has no placeholder.
fn check_template(
    node: &FlowNode,
    name: &str,
    text: Option<&str>,
    check: impl Fn(&Value) -> Result<(), String>,
    report: &mut Report,
) {
    report.hash_braces(&node.id, name, text.unwrap_or_default());
    match text.map(ComputedTemplate::compile_text) {
        Some(Err(sentence)) => {
            report.error(&node.id, "invalid_template", format!("{name}: {sentence}"));
        }
        Some(Ok(template)) => {
            if let Some(Err(sentence)) = template.constant().map(check) {
                report.error(
                    &node.id,
                    "invalid_value",
                    format!("{name}: {sentence}; correct it"),
                );
            }
        }
        None => {}
    }
}

fn check_reminder(node: &FlowNode, task: &UserTask, report: &mut Report) {
    for (name, text) in [
        ("reminder", &task.reminder),
        ("reminderRepeat", &task.reminder_repeat),
    ] {
        if let Some(text) = text.as_deref().filter(|text| !is_duration(text)) {
            let message = format!(
                "expected `{name}` as ISO 8601 duration such as PT1H or P1D, but got `{text}`; \
                correct it"
            );
            report.error(&node.id, "invalid_timer", message);
        }
    }
    if task.reminder.is_some() && task.due_date.is_none() {
        let message = "expected a reminder only with a dueDate that it goes before, but there is \
            none; add one or remove it";
        report.error(&node.id, "misplaced_reminder", message);
    }
    let Some(repeat) = task.reminder_repeat.as_deref() else {
        return;
    };
    if task.reminder.is_none() {
        let message = "expected a reminderRepeat only with a reminder that it repeats, but there \
            is none; add one or remove it";
        report.error(&node.id, "misplaced_reminder", message);
    }
    if is_duration(repeat)
        && matches!(
            task_settings::due(&repeat.into(), Time(0)),
            Ok(Some(Time(..SHORTEST_REPEAT)))
        )
    {
        let message = format!(
            "expected a reminderRepeat of at least a minute, but got `{repeat}`; choose a longer \
            one"
        );
        report.error(&node.id, "invalid_timer", message);
    }
}

/// A comment is a text: it has no members.
fn check_comment(node: &FlowNode, report: &mut Report) {
    for action in decisions(node) {
        if action.keys.iter().any(|key| {
            key.path
                .strip_prefix(COMMENT)
                .is_some_and(|rest| rest.starts_with('.'))
        }) {
            let message = format!(
                "action `{}`: expected no key below `{COMMENT}`, as the comment of a decision is \
                a text, but there is one; rename it",
                action.name
            );
            report.error(&node.id, "misplaced_keys", message);
        }
    }
}

/// Whether the node is an approval, by the rules of `engine::outcome`.
fn is_approval(node: &FlowNode) -> bool {
    node.kind == ElementType::UserTask && decisions(node).count() == 2
}

fn decisions(node: &FlowNode) -> impl Iterator<Item = &Action> {
    let named = |action: &&Action| [APPROVE, REJECT].contains(&action.name.as_str());
    node.actions
        .iter()
        .filter(named)
        .filter(|action| action.trigger == Trigger::Manual && action.parent.is_none())
}
