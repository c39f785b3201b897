//! One iteration of an activity that runs more than once: how it begins, and the outcome of its
//! end.

use serde_json::{Map, Value};

use crate::{
    engine::{
        context::{STOPPED, Step},
        state::{ElementInstance, LoopState},
    },
    model::{
        executable::ExecutableNode,
        ids::ElementKey,
        loop_characteristics::{Loop, Over},
    },
};

/// Incident of a whole that cannot tell how often it runs. A retry looks again.
pub(super) const COLLECTION: &str = "collection_error";
/// Incident of a whole or an iteration whose condition fails. A retry asks again.
pub(super) const CONDITION: &str = "loop_condition_error";
/// Incident of an iteration whose result cannot be made. A retry makes it again.
pub(super) const RESULT: &str = "loop_output_error";

/// The outcome of the end of an iteration.
#[derive(Default)]
pub(in crate::engine) struct Verdict {
    /// What it adds to the list of results.
    pub(super) result: Option<Value>,
    /// Whether the other iterations end.
    pub(super) stops: bool,
    /// The conditions that are true by which it throws something, by their ids.
    pub(super) fulfilled: Vec<String>,
}

/// Begins an iteration, when there is room for one more element.
pub(super) fn begin(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
    let most = step.limits.active_elements;
    if step.state.active_count() >= most {
        let sentence = format!(
            "expected at most {most} active elements, but the next iteration would be one more. \
            Retry when others have completed"
        );
        return step.incident(key, STOPPED[1], sentence, None);
    }
    let next = state(step, key).map_or(1, |state| state.begun() + 1);
    // What an iteration gives is its own, from what it finds: iterations of one time do not
    // overwrite one another's.
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
}

/// The state of a whole, once it has begun.
pub(super) fn state<'a>(step: &'a Step<'_>, key: ElementKey) -> Option<&'a LoopState> {
    step.state.element(key).and_then(ElementInstance::looping)
}

/// How many iterations of a whole are active.
pub(super) fn live(step: &Step<'_>, key: ElementKey) -> u32 {
    step.state.scope(Some(key)).map_or(0, |scope| scope.live())
}

/// The activity that boundary events catch for: the whole, when the element is an iteration of it.
pub(in crate::engine) fn whole_of(step: &Step<'_>, key: ElementKey) -> ElementKey {
    let element = step.state.element(key);
    element
        .filter(|element| element.loop_counter().is_some())
        .and_then(ElementInstance::scope)
        .unwrap_or(key)
}

/// The item of an iteration, with the variable that holds it.
pub(in crate::engine) fn item_of(step: &Step<'_>, key: ElementKey) -> Option<(String, Value)> {
    step.state.element(key)?.loop_counter()?;
    let item = item_name(step.node_of(key)?)?;
    let value = step.variables(key).get(item).cloned();
    Some((item.to_owned(), value.unwrap_or_default()))
}

/// The variable that holds the item of each iteration of an activity.
pub(in crate::engine) fn item_name(node: &ExecutableNode) -> Option<&str> {
    let Some(Loop::MultiInstance(multiple)) = &node.looping else {
        return None;
    };
    match &multiple.over {
        Over::Collection { item, .. } => Some(item),
        Over::Cardinality(_) => None,
    }
}

/// The whole and the number of an iteration whose call gives what the list of results holds.
pub(in crate::engine) fn lists_call(step: &Step<'_>, key: ElementKey) -> Option<(ElementKey, u32)> {
    let element = step.state.element(key)?;
    let lists = step.node_of(key)?.looping.as_ref()?.lists_calls();
    let iteration = element.loop_counter().filter(|_| lists)?;
    Some((element.scope()?, iteration))
}
