//! Back in steps: a user runs an `allowBack` action of an element the token has left, and the token returns there.
//!
//! Everything active that descends from the element ends, with its timers and subprocesses; joins passed since give back
//! the flows that do not come from it; then a new visit begins with the action states from before the action's first run.
//! All in one row. Lineage itself: `state::lineage`.

use serde_json::Value;

use super::{
    actions,
    record::Record,
    rejection::Rejection,
    state::{Child, FirstRun},
    step::Step,
};
use crate::model::{executable::ExecutableAction, ids::ElementKey, merging::deep_merge};

/// Whether a passed element can be gone back to by this action.
pub(super) fn is_open(step: &Step<'_>, key: ElementKey, action: &str) -> bool {
    let Some(element) = step.state.element(key) else { return false };
    let action = step.process.node(element.node()).and_then(|node| node.action(action));
    !element.is_active() && action.is_some_and(|action| action.allow_back && element.first_run(&action.name).is_some())
}

/// Goes back to a passed element and runs the action there.
pub(super) fn go_back(step: &mut Step<'_>, to: ElementKey, action: &ExecutableAction, payload: &Value) -> Result<(), Rejection> {
    // Checked before anything is recorded; the run below checks the same payload again and cannot fail then.
    action.keys.accept(payload, step.evaluator).map_err(Rejection::invalid_data)?;
    let restored = restoration(step, to, action);
    end_descendants(step, to, &action.name);
    let Some(node) = step.state.element(to).map(|element| element.node().clone()) else { return Ok(()) };
    let element = ElementKey(step.record(Record::Returned { to, node, action: action.name.clone() }));
    if let Some((data, view)) = restored {
        step.record(Record::DataReplaced { scope: None, data });
        step.record(Record::ViewReplaced { body: view });
    }
    actions::run_in(step, element, action, payload)
}

/// Data and view as a `restartFromSnapshot` action wants them; `None` leaves both as they are.
fn restoration(step: &Step<'_>, to: ElementKey, action: &ExecutableAction) -> Option<(Value, Value)> {
    let first = step.state.element(to)?.first_run(&action.name)?;
    let (_, view) = first.snapshot()?;
    let mut data = step.state.restored_data(to, first)?;
    for path in &action.restart_keys {
        if let Some(present) = path.get(step.state.data()) {
            deep_merge(&mut data, &path.nest(present.clone()));
        }
    }
    Some((data, view.clone()))
}

fn end_descendants(step: &mut Step<'_>, to: ElementKey, action: &str) {
    let ended: Vec<ElementKey> = step.state.active().map(|(key, _)| key).filter(|&key| step.state.descends(key, to)).collect();
    let state = &*step.state;
    // What the element itself started before the action's first run belongs to the states it keeps.
    let first_run = state.element(to).and_then(|element| element.first_run(action)).map_or(0, FirstRun::seq);
    let descends =
        |child: &&Child| child.seq > first_run && child.start.element.is_some_and(|element| state.descends(element, to));
    let children = state.children().values().filter(descends).map(|child| child.start.child).collect();
    step.end_children(children);
    for element in ended {
        step.abort(element);
    }
}
