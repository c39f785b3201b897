//! One iteration of an activity that runs more than once: its beginning, and the outcome of its
//! end.

use serde_json::{Map, Value};

use crate::{
    engine::{
        conditions,
        context::{STOPPED, Step},
        state::{ElementInstance, LoopState},
    },
    model::{
        executable::ExecutableNode,
        ids::ElementKey,
        loop_characteristics::{Loop, Over},
    },
};

/// Incident of a whole whose number of iterations cannot be evaluated. A retry evaluates it again.
pub(super) const COLLECTION: &str = "collection_error";
/// Incident of a whole or an iteration whose condition cannot be evaluated. A retry evaluates it
/// again.
pub(super) const CONDITION: &str = "loop_condition_error";
/// Incident of an iteration whose result cannot be evaluated. A retry evaluates it again.
pub(super) const RESULT: &str = "loop_output_error";

/// The outcome of the end of an iteration.
#[derive(Default)]
pub(in crate::engine) struct Verdict {
    /// Its entry in the list of results.
    pub(super) result: Option<Value>,
    /// Whether the other iterations end.
    pub(super) stops: bool,
    /// The ids of the conditions that are true, by which it throws events.
    pub(super) fulfilled: Vec<String>,
}

/// Begins an iteration, if there is room for one more element.
pub(super) fn begin(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    let maximum = step.limits.active_elements;
    if step.state.active_count() >= maximum {
        let sentence = format!(
            "expected at most {maximum} active elements, but the next iteration would be one more. \
            Retry when others have completed"
        );
        return step.stop(key, STOPPED[1], sentence);
    }
    let next = state(step, key).map_or(1, |state| state.begun() + 1);
    // Each iteration gets copies of the variables for its results, so that parallel iterations do
    // not overwrite each other's.
    let seen = step.variables(key);
    let own = node.looping.iter().flat_map(Loop::own_variables);
    let variables: Map<String, Value> = own
        .map(|name| {
            (
                name.to_string(),
                seen.get(name).cloned().unwrap_or_default(),
            )
        })
        .collect();
    step.activate_iteration(&node.id, key, next, variables);
    // Conditions at its boundary may read the counters.
    conditions::mark(step, key);
}

/// The state of a loop, once it has begun.
pub(super) fn state<'a>(step: &'a Step<'_>, key: ElementKey) -> Option<&'a LoopState> {
    step.state.element(key).and_then(ElementInstance::looping)
}

/// The number of active iterations of a whole.
pub(super) fn live(step: &Step<'_>, key: ElementKey) -> u32 {
    step.state.scope(Some(key)).map_or(0, |scope| scope.live())
}

/// The activity to which boundary events are attached: the whole, if the element is one of its
/// iterations.
pub(in crate::engine) fn whole_of(step: &Step<'_>, key: ElementKey) -> ElementKey {
    let element = step.state.element(key);
    element
        .filter(|element| element.loop_counter().is_some())
        .and_then(ElementInstance::scope)
        .unwrap_or(key)
}

/// The item of an iteration, with its variable.
pub(in crate::engine) fn item_of(step: &Step<'_>, key: ElementKey) -> Option<(String, Value)> {
    step.state.element(key)?.loop_counter()?;
    let item = item_name(step.node_of(key)?)?;
    let value = step.variables(key).get(item).cloned();
    Some((item.to_owned(), value.unwrap_or_default()))
}

/// The variable for the item of each iteration of an activity.
pub(in crate::engine) fn item_name(node: &ExecutableNode) -> Option<&str> {
    let Some(Loop::MultiInstance(multiple)) = &node.looping else {
        return None;
    };
    match &multiple.over {
        Over::Collection { item, .. } => Some(item),
        Over::Cardinality(_) => None,
    }
}

/// The whole and the number of an iteration whose result is the result of its call.
pub(in crate::engine) fn lists_call(step: &Step<'_>, key: ElementKey) -> Option<(ElementKey, u32)> {
    let element = step.state.element(key)?;
    let lists = step.node_of(key)?.looping.as_ref()?.lists_calls();
    let iteration = element.loop_counter().filter(|_| lists)?;
    Some((element.scope()?, iteration))
}
