//! Multi-instance: one iteration for each item of a collection, or a number of iterations,
//! sequentially or in parallel. The results are in the order of the items.
//!
//! The number of iterations is evaluated once, when the activity is activated; later changes of the
//! data do not affect it, in a retry neither.

use std::collections::VecDeque;

use serde_json::Value;

use super::iteration::{COLLECTION, CONDITION, RESULT, Verdict, begin, live, state};
use crate::{
    engine::{
        context::Step,
        quotas,
        record::{Items, LoopRecord},
        subprocess::start::called_data,
    },
    limits::{self, DATA_DEPTH},
    model::{
        computed_template::ComputedTemplate,
        deep_merge::exceeds_depth,
        executable::ExecutableNode,
        ids::ElementKey,
        loop_characteristics::{MultiInstanceLoop, Over, ThrownBy},
        path::DataPath,
        template::Template,
        variables::Variables,
    },
};

pub(super) fn advance(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    multiple: &MultiInstanceLoop,
) -> bool {
    if state(step, key).is_none() {
        match instances(step, key, node, multiple) {
            Ok((instances, items)) => step.record_loop(LoopRecord::Begun {
                element: key,
                instances: Some(instances),
                sequential: multiple.sequential,
                items,
            }),
            Err(sentence) => {
                step.incident(key, COLLECTION, sentence, None);
                return false;
            }
        }
    }
    let Some(state) = state(step, key) else {
        return true;
    };
    let (open, live) = (state.open(), live(step, key));
    if open > 0 && (live == 0 || !multiple.sequential) {
        begin_next(step, key, node, multiple.sequential);
        return false;
    }
    if live > 0 {
        return false;
    }
    if let Some(path) = &multiple.output_key {
        let results = state.results();
        step.merge(Some(key), path.nest(results));
    }
    true
}

/// Begins the next iteration. Further ones of a parallel loop follow when this one has stopped
/// moving. When this step has begun its maximum, a message to the instance itself continues later.
fn begin_next(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode, sequential: bool) {
    let Some(state) = state(step, key) else {
        return;
    };
    let children = if sequential { 1 } else { state.open() as usize };
    let bytes =
        state.next_item().map_or(0, |item| item.to_string().len()) + copied(step, key, node);
    if node.call().is_some()
        && let Err(sentence) = quotas::for_children(step, children)
    {
        return step.incident(key, quotas::CHILDREN, sentence, None);
    }
    if !step.takes_turn(bytes) {
        return step.request_turn(key);
    }
    begin(step, key, node);
    if !sequential {
        step.queue_last(key);
    }
}

/// The bytes that a call copies to each of its children.
fn copied(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> usize {
    node.call()
        .map_or(0, |called| called_data(step, called, key).to_string().len())
}

/// The number of iterations, and their items.
fn instances(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    multiple: &MultiInstanceLoop,
) -> Result<(u32, Option<Items>), String> {
    match &multiple.over {
        Over::Cardinality(template) => Ok((cardinality(step, key, template)?, None)),
        Over::Collection { path, item } => {
            let values = items(step, key, node, path)?;
            let items = Items {
                variable: item.clone(),
                values,
            };
            Ok((items.values.len() as u32, Some(items)))
        }
    }
}

fn cardinality(
    step: &Step<'_>,
    key: ElementKey,
    template: &ComputedTemplate,
) -> Result<u32, String> {
    let value = template.render(step.variables(key), &step.builtins())?;
    let count = match &value {
        Value::Number(number) => number.to_string().parse::<u32>().ok(),
        Value::String(text) => text.trim().parse::<u32>().ok(),
        _ => None,
    };
    count
        .filter(|count| *count as usize <= limits::ITEMS)
        .ok_or_else(|| {
            format!(
                "expected how many iterations as a whole number of 0 to {}, but got {}; correct \
                the data (patch) and retry",
                limits::ITEMS,
                described(&value)
            )
        })
}

fn items(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    collection: &DataPath,
) -> Result<VecDeque<Value>, String> {
    let variables = step.variables(key);
    let items = match variables.at(collection) {
        Some(Value::Array(items)) => items,
        Some(other) => {
            return Err(format!(
                "expected a list at '{collection}', but there is {}; write one there",
                kind(other)
            ));
        }
        None => {
            return Err(format!(
                "expected a list at '{collection}', but there is nothing; write one there, [] \
                for no item"
            ));
        }
    };
    if items.len() > limits::ITEMS {
        return Err(format!(
            "expected at most {} items at '{collection}', but there are {}; take a part of them \
            at a time",
            limits::ITEMS,
            items.len()
        ));
    }
    let copied = copied(step, key, node);
    let bytes = items
        .iter()
        .map(|item| copied + item.to_string().len())
        .sum::<usize>();
    if bytes > limits::ITEM_DATA_BYTES {
        return Err(format!(
            "expected at most {} bytes of data for all items of '{collection}' together, but \
            these are {bytes}; take smaller items, or copy less by paramsToCopy",
            limits::ITEM_DATA_BYTES
        ));
    }
    Ok(items.iter().cloned().collect())
}

/// The outcome of an iteration that is about to complete; otherwise the code and the sentence of an
/// incident.
pub(super) fn verdict(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    multiple: &MultiInstanceLoop,
) -> Result<Verdict, (&'static str, String)> {
    let result = match (&multiple.output_key, &multiple.output) {
        (Some(path), Some(template)) => Some(result(step, key, path, template)?),
        _ => None,
    };
    let holds = |id: &str| holds(step, key, node, id);
    let stops = multiple.conditional && holds(&node.id)?;
    let mut fulfilled = Vec::new();
    for thrown in &multiple.thrown {
        if let ThrownBy::Condition(id) = &thrown.by
            && holds(id)?
        {
            fulfilled.push(id.clone());
        }
    }
    Ok(Verdict {
        result,
        stops,
        fulfilled,
    })
}

fn result(
    step: &Step<'_>,
    key: ElementKey,
    path: &DataPath,
    template: &Template,
) -> Result<Value, (&'static str, String)> {
    let value = template
        .render(step.variables(key), &step.builtins())
        .map_err(|error| (RESULT, format!("the output of the iteration: {error}")))?;
    // The list of results adds a level below the path.
    if exceeds_depth(&value, DATA_DEPTH.saturating_sub(path.depth() + 1)) {
        let sentence = format!(
            "expected a result of at most {DATA_DEPTH} levels in the data, but it is deeper; \
            return less by `output`"
        );
        return Err((RESULT, sentence));
    }
    Ok(value)
}

/// Whether a condition is true once this iteration counts as completed: the completion condition,
/// or one by which an event is thrown.
fn holds(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    id: &str,
) -> Result<bool, (&'static str, String)> {
    let whole = step.state.element(key).and_then(|element| element.scope());
    let counters = whole
        .and_then(|whole| state(step, whole))
        .map_or_else(|| Value::Null, |state| Value::Object(state.counters(1)));
    let mut scopes = Vec::new();
    for (owner, variables) in step.state.owners(Some(key)) {
        if Some(owner) == whole {
            scopes.push(&counters);
        }
        scopes.push(variables);
    }
    let variables = Variables::layered(scopes, step.state.data());
    step.evaluator.condition(id, &variables).map_err(|error| {
        let sentence = format!(
            "the {} condition of '{}' cannot be decided: {error}",
            if *id == *node.id {
                "completion"
            } else {
                "complexBehaviorDefinition's"
            },
            node.id
        );
        (CONDITION, sentence)
    })
}

/// A description of a value that is no number of iterations.
fn described(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the text `{}`", text.chars().take(40).collect::<String>()),
        other => kind(other).to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
