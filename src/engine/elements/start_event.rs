//! Start event: which one a start means, and what start data it accepts. Those with a schedule are
//! for it alone.

use serde_json::Value;

use crate::{
    engine::rejection::{Rejection, RejectionKind},
    model::{
        evaluator::Evaluator,
        executable::{ExecutableNode, ExecutableProcess},
        keys::Keys,
        node_kind::StartEvent,
    },
};

/// The start event a start means: the one with this start condition; without one the only one, or
/// the only unconditional one.
pub(in crate::engine) fn choose<'a>(
    process: &'a ExecutableProcess,
    condition: Option<&str>,
) -> Result<&'a ExecutableNode, Rejection> {
    let all: Vec<(&ExecutableNode, &StartEvent)> = process
        .start_events()
        .filter(|(_, start)| start.schedule.is_none())
        .collect();
    if all.is_empty() {
        let id = &process.definition.id;
        let sentence = format!(
            "expected a process that can be started, but '{id}' starts by its schedules only; an \
            operator may run one: POST /v1/schedules/{id}/{}/run",
            process.schedules().next().map_or("", |(node, _)| &*node.id)
        );
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    }
    let fitting: Vec<(&ExecutableNode, &StartEvent)> = match condition {
        Some(_) => all
            .iter()
            .copied()
            .filter(|(_, start)| start.condition.as_deref() == condition)
            .collect(),
        None if all.len() == 1 => all.clone(),
        None => all
            .iter()
            .copied()
            .filter(|(_, start)| start.condition.is_none())
            .collect(),
    };
    if let [(only, _)] = fitting[..] {
        return Ok(only);
    }
    let known: Vec<&str> = all
        .iter()
        .filter_map(|(_, start)| start.condition.as_deref())
        .collect();
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    let sentence = match condition {
        Some(condition) => format!(
            "expected one start event of '{}' with start condition '{condition}', but there are \
            {}; known conditions: {known}",
            process.definition.id,
            fitting.len()
        ),
        None => format!(
            "expected a startCondition, but the start names none and '{}' has {} start events; \
            known conditions: {known}",
            process.definition.id,
            all.len()
        ),
    };
    Err(Rejection::new(RejectionKind::BadRequest, sentence))
}

/// The start event of a schedule.
pub(in crate::engine) fn scheduled<'a>(
    process: &'a ExecutableProcess,
    id: &str,
) -> Result<&'a ExecutableNode, Rejection> {
    process
        .start_events()
        .find(|(node, start)| &*node.id == id && start.schedule.is_some())
        .map(|(node, _)| node)
        .ok_or_else(|| {
            let sentence = format!(
                "expected a start event of '{}' with a schedule, but '{id}' is none",
                process.definition.id
            );
            Rejection::new(RejectionKind::BadRequest, sentence)
        })
}

/// The start data a start event lets in, and the paths it does not.
pub(in crate::engine) fn accept(
    node: &ExecutableNode,
    data: &Value,
    evaluator: &dyn Evaluator,
) -> Result<(Value, Vec<String>), Rejection> {
    let everything = Keys::everything();
    let keys = node
        .start()
        .and_then(|start| start.keys.as_ref())
        .unwrap_or(&everything);
    let accepted = keys
        .accept(data, evaluator)
        .map_err(Rejection::invalid_data)?;
    Ok((accepted.data, accepted.ignored))
}
