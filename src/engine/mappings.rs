//! Input mappings and data objects, which give an element variables when it begins, and output
//! mappings, which write into the scopes around it when it completes.
//!
//! The output mappings of a call activity read the data of its child after the child's end
//! (`subprocess::end`). `variables` chooses the scope of each value.

use serde_json::{Map, Value};

use super::{context::Step, quotas, record::Record};
use crate::{
    limits::{DATA_DEPTH, VARIABLE_BYTES},
    model::{
        deep_merge::{deep_merge, exceeds_depth},
        executable::ExecutableNode,
        ids::ElementKey,
        mapping::ExecutableMapping,
        template::Builtins,
        variables::Variables,
    },
};

/// Incident of an element whose input mappings cannot be evaluated. It has not begun; a retry
/// evaluates them again.
pub(super) const INPUT: &str = "input_error";
/// Incident of an element whose output mappings cannot be evaluated. A retry evaluates them again.
pub(super) const OUTPUT: &str = "output_error";

/// Begins an element: it declares its data objects and the results of its input mappings. Returns
/// `false` when a mapping cannot be evaluated, which is an incident.
pub(super) fn begin(step: &mut Step<'_>, key: ElementKey) -> bool {
    // In a loop, the whole owns the variables and applies the output mappings.
    let node = step.node_of(key).filter(|node| owns_something(node));
    let Some(node) = node.filter(|_| !is_iteration(step, key)) else {
        return true;
    };
    let owned = inputs(step, key, node)
        .and_then(|owned| quotas::for_variables(step, bytes(&owned)).map(|()| owned));
    match owned {
        Ok(owned) => {
            step.declare(key, owned);
            true
        }
        Err((code, sentence)) => {
            step.incident(key, code, sentence, None);
            false
        }
    }
}

/// Begins an element whose input mappings cannot be evaluated, or exceed the limit: it declares
/// only its data objects, if there is room for them.
pub(super) fn begin_without_inputs(step: &mut Step<'_>, key: ElementKey) {
    let Some(owned) = step.node_of(key).map(|node| node.data_objects.clone()) else {
        return;
    };
    if quotas::for_variables(step, bytes(&owned)).is_ok() {
        step.declare(key, owned);
    }
}

fn bytes(owned: &Map<String, Value>) -> usize {
    serde_json::to_string(owned).map_or(0, |text| text.len())
}

/// Applies the output mappings of a completing element. Returns `false` when one cannot be
/// evaluated, which is an incident.
pub(super) fn complete(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    if !writes_outputs(step, key, node) {
        return true;
    }
    match outputs(step, key, &[], &node.outputs, &step.builtins()) {
        Ok(patch) => {
            step.merge_around(key, None, patch);
            true
        }
        Err(sentence) => {
            step.incident(key, OUTPUT, with_fix(&sentence), None);
            false
        }
    }
}

/// Marks the output mappings as applied, so that a repeated completion does not apply them again.
pub(super) fn keep(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    if writes_outputs(step, key, node) {
        step.record(Record::OutputsWritten { element: key });
    }
}

/// Whether an active element has output mappings of its own that were not applied yet.
fn writes_outputs(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    let element = step.state.element(key).filter(|it| it.is_active());
    element.is_some_and(|element| !element.has_written_outputs())
        && !node.outputs.is_empty()
        && node.call().is_none()
        && !is_iteration(step, key)
}

/// The output mappings of a call activity, applied to the data of its child and, for names not
/// found there, to the variables visible to the call activity.
///
/// # Errors
/// The reason why a mapping cannot be evaluated.
pub(super) fn outputs_of_call(
    step: &Step<'_>,
    key: ElementKey,
    mappings: &[ExecutableMapping],
    result: &Value,
    builtins: &Builtins<'_>,
) -> Result<Value, String> {
    outputs(step, key, &[result], mappings, builtins)
}

fn is_iteration(step: &Step<'_>, key: ElementKey) -> bool {
    let element = step.state.element(key);
    element.is_some_and(|element| element.loop_counter().is_some())
}

fn owns_something(node: &ExecutableNode) -> bool {
    !node.inputs.is_empty() || !node.data_objects.is_empty()
}

/// Each input mapping reads the results of the mappings before it, but not the element's data
/// objects.
fn inputs(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> Result<Map<String, Value>, (&'static str, String)> {
    let (variables, builtins) = (step.variables(key), step.builtins());
    let mut read = Value::Object(Map::new());
    let mut owned = Value::Object(node.data_objects.clone());
    let mut bytes = 0;
    for mapping in &node.inputs {
        let value = value(mapping, &variables.inside(&read), &builtins, &mut bytes)
            .map_err(|sentence| (INPUT, with_fix(&sentence)))?;
        mapping.target().set(&mut read, value.clone());
        mapping.target().set(&mut owned, value);
    }
    match owned {
        Value::Object(owned) => Ok(owned),
        _ => Ok(Map::new()),
    }
}

/// The result of an element's output mappings, as a patch. A name is looked up in `inner`, then among
/// the element's own variables, and then outside, where each mapping sees what those before it write.
fn outputs(
    step: &Step<'_>,
    key: ElementKey,
    inner: &[&Value],
    mappings: &[ExecutableMapping],
    builtins: &Builtins<'_>,
) -> Result<Value, String> {
    let element = step.state.element(key);
    let own = element.and_then(|element| element.variables());
    let outside = step
        .state
        .variables(element.and_then(|element| element.scope()));
    let (mut patch, mut bytes) = (Value::Object(Map::new()), 0);
    // The variables outside that the mappings before change, as they will be.
    let mut changed = Map::new();
    for (mapping, later) in mappings.iter().zip(1..) {
        let so_far = Value::Object(std::mem::take(&mut changed));
        let around = outside.inside(&so_far);
        let around = own.map_or_else(|| around.clone(), |own| around.inside(own));
        let seen = inner
            .iter()
            .rev()
            .fold(around, |seen, inner| seen.inside(inner));
        let value = value(mapping, &seen, builtins, &mut bytes)?;
        if let Value::Object(so_far) = so_far {
            changed = so_far;
        }
        if mapping.leaves_out(&value) {
            continue;
        }
        mapping.target().set(&mut patch, value);
        if later < mappings.len() {
            let name = mapping.target().first();
            let mut merged = outside.get(name).cloned().unwrap_or_default();
            deep_merge(&mut merged, &patch[name]);
            changed.insert(name.to_owned(), merged);
        }
    }
    Ok(patch)
}

fn value(
    mapping: &ExecutableMapping,
    variables: &Variables<'_>,
    builtins: &Builtins<'_>,
    bytes: &mut usize,
) -> Result<Value, String> {
    let (value, target) = (mapping.read(variables, builtins)?, mapping.target());
    if exceeds_depth(&value, DATA_DEPTH.saturating_sub(target.depth())) {
        return Err(format!(
            "expected at most {DATA_DEPTH} levels in the data, but the value for '{target}' is \
            deeper; map less of it"
        ));
    }
    *bytes += value.to_string().len();
    if *bytes > VARIABLE_BYTES {
        return Err(format!(
            "expected at most {VARIABLE_BYTES} bytes of all mappings of one element, but with the \
            one for '{target}' there are more; map less"
        ));
    }
    Ok(value)
}

fn with_fix(sentence: &str) -> String {
    format!("{sentence}; correct the data (patch) and retry")
}
