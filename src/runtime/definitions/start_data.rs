//! Checks the start data of schedules against the keys of their start events at deploy, because no
//! user sees a refusal when a schedule is due.

use serde_json::Value;

use crate::model::{evaluator::Evaluator, executable::ExecutableProcess, problem::Problem};

/// Errors for start data that would be refused, and warnings for parts that would be ignored.
pub(super) fn check(process: &ExecutableProcess, evaluator: &dyn Evaluator) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (node, schedule) in process.schedules() {
        let Some(keys) = node.start().and_then(|start| start.keys.as_ref()) else {
            continue;
        };
        match keys.accept(
            &Value::Object(schedule.written.start_data.clone()),
            evaluator,
        ) {
            Ok(accepted) => problems.extend(accepted.ignored.iter().map(|path| {
                let message = format!(
                    "expected start data under the keys of the start event, but `{path}` \
                        is not: it is ignored"
                );
                Problem::warning(&*node.id, "no_effect", message)
            })),
            Err(fields) => problems.extend(fields.iter().map(|(path, error)| {
                let message = format!("start data of the schedule, `{path}`: {}", error.message);
                Problem::error(&*node.id, "invalid_start_data", message)
            })),
        }
    }
    problems
}
