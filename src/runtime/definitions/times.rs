//! Checks for times that have passed when a definition is deployed. Only a deploy checks this: a
//! stored definition stays valid while its times pass.

use crate::model::{
    executable::{ExecutableProcess, Expiry},
    ids::Time,
    problem::Problem,
    task_settings,
    timer_cycle::Occurrences,
};

/// Schedules and expiries without a time after `now`. For content that is deployed already they are
/// warnings, because it did have its times; so are fixed due dates that have passed.
pub(super) fn check(process: &ExecutableProcess, now: Time, existing: bool) -> Vec<Problem> {
    let problem = if existing {
        Problem::warning
    } else {
        Problem::error
    };
    let mut problems = Vec::new();
    if let Some(expiry @ Expiry::At(_)) = &process.expiry
        && expiry.due(now).is_none_or(|due| due <= now)
    {
        let text = process.definition.expiry.as_deref().unwrap_or_default();
        let message = format!(
            "expected an expiry in the future, but the last time that matches `{text}` has passed; \
            correct it"
        );
        problems.push(problem(process.definition.id.clone(), "never_due", message));
    }
    for node in &process.definition.nodes {
        let due_date = node.task.as_ref().and_then(|task| task.due_date.as_ref());
        if let Some(text) = due_date
            && task_settings::due(&text.as_str().into(), now)
                .is_ok_and(|due| due.is_some_and(|due| due < now))
        {
            let message = format!(
                "expected a due date in the future, but `{text}` has passed: each task would be \
                overdue at once; correct it"
            );
            problems.push(Problem::warning(&*node.id, "past_due_date", message));
        }
    }
    for (node, schedule) in process.schedules() {
        if matches!(schedule.occurrences, Occurrences::Startup)
            || schedule.occurrences.first(now).is_some()
        {
            continue;
        }
        let message = format!(
            "expected a time in the future, but the last time of `{}` has passed: the process \
            would never start; correct it",
            schedule.written
        );
        problems.push(problem(node.id.to_string(), "never_due", message));
    }
    problems
}
