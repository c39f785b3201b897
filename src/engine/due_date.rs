//! The assignee, the due date and the reminders of a user task, from its definition.
//!
//! A due date has no effect of its own: it is shown, and reminders refer to it. `assignment`
//! handles claims and releases of a task.
//!
//! # Rationale
//!
//! **A reminder is a record.** It is a timer whose row advances the instance, so followers and
//! lists see it like any other change.

use std::sync::Arc;

use serde_json::Value;

use super::{command::TimerKey, context::Step, quotas, record::Record};
use crate::{
    limits::REMINDERS,
    model::{
        computed_template::ComputedTemplate,
        executable::ExecutableNode,
        ids::{ElementKey, Time},
        task_settings,
    },
};

/// Incident of a user task whose assignee or due date cannot be evaluated. A retry evaluates them
/// again.
pub(super) const UNREADABLE: &str = "task_error";

/// Sets the assignee and the due date of a new visit.
pub(super) fn begin(step: &mut Step<'_>, key: ElementKey) {
    take(step, key, true);
}

/// Sets the due date of the new visit after a back step. The task keeps its assignee.
pub(super) fn begin_again(step: &mut Step<'_>, key: ElementKey) {
    take(step, key, false);
}

/// Evaluates assignee and due date again after an incident. A user who has claimed the task
/// meanwhile keeps it.
pub(super) fn retry(step: &mut Step<'_>, key: ElementKey) {
    let is_nobodys = step
        .state
        .element(key)
        .is_some_and(|element| element.assignee().is_none());
    take(step, key, is_nobodys);
}

fn take(step: &mut Step<'_>, key: ElementKey, assigns: bool) {
    if step.is_whole(key) {
        return;
    }
    let (Some(node), Some(begun)) = (
        step.node_of(key),
        step.state.element(key).map(|element| element.entered()),
    ) else {
        return;
    };
    let assignee = if assigns {
        assignee(step, key, node)
    } else {
        Ok(None)
    };
    match assignee.and_then(|assignee| Ok((assignee, due(step, key, node, begun)?))) {
        Ok((assignee, due)) => {
            if let Some(user) = assignee {
                step.record(Record::Assigned {
                    element: key,
                    user: Some(user),
                });
            }
            if let Some(due) = due {
                schedule(step, key, node, due);
            }
        }
        Err(sentence) => step.incident(key, UNREADABLE, sentence, None),
    }
}

/// The assignee, by the present data.
fn assignee(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> Result<Option<Arc<str>>, String> {
    let user = task_settings::subject(&render(
        step,
        key,
        node.user_task().and_then(|task| task.assignee.as_ref()),
    )?)
    .map_err(with_fix)?;
    if user
        .as_ref()
        .is_some_and(|user| !quotas::for_participant(step, user))
    {
        return Err(format!(
            "expected at most {} users who were ever assigned a task of one instance, but this is \
            one more: assign it to one of them and retry",
            step.limits.participants
        ));
    }
    Ok(user.map(Arc::from))
}

/// The due date, by the present data.
fn due(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    begun: Time,
) -> Result<Option<Time>, String> {
    task_settings::due(
        &render(
            step,
            key,
            node.user_task().and_then(|task| task.due.as_ref()),
        )?,
        begun,
    )
    .map_err(with_fix)
}

fn with_fix(sentence: String) -> String {
    sentence + "; correct the data (patch) and retry"
}

fn render(
    step: &Step<'_>,
    key: ElementKey,
    template: Option<&ComputedTemplate>,
) -> Result<Value, String> {
    let value = template.map(|template| template.render(step.variables(key), &step.builtins()));
    Ok(value.transpose()?.unwrap_or_default())
}

fn schedule(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode, due: Time) {
    let remind = node
        .user_task()
        .and_then(|task| task.reminder.as_ref())
        .and_then(|reminder| reminder.first(due, step.now));
    step.record(Record::TaskScheduled {
        element: key,
        due,
        remind,
    });
    arm(step, key);
}

/// Sets the timer of the next reminder, if there is one.
fn arm(step: &mut Step<'_>, key: ElementKey) {
    if let Some((number, due)) = step
        .state
        .element(key)
        .and_then(|element| element.reminder())
    {
        step.set_timer(due, TimerKey::reminder(key, number));
    }
}

/// Sends a reminder, and sets the time of the next one. Has no effect when the task has ended or
/// this reminder was sent already.
pub(super) fn remind(step: &mut Step<'_>, timer: &TimerKey) {
    let Some(key) = timer.element else {
        return;
    };
    let waits = step.state.element(key).is_some_and(|element| {
        element
            .reminder()
            .is_some_and(|(nr, _)| nr == timer.occurrence)
    });
    let Some(node) = step.node_of(key).filter(|_| waits) else {
        return;
    };
    let repeats = timer.occurrence < REMINDERS;
    let again = node
        .user_task()
        .and_then(|task| task.reminder.as_ref())
        .filter(|_| repeats)
        .and_then(|reminder| reminder.after(step.now));
    step.clear_timer(timer.clone());
    step.record(Record::Reminded {
        element: key,
        again,
    });
    arm(step, key);
}
