//! Back steps: a user runs an `allowBack` action of a completed element, and the token returns to
//! that element.
//!
//! Active elements that descend from the element are terminated, with their timers and
//! subprocesses. Joins that have continued since then get back the flows that do not descend from
//! it. Then a new visit begins with the action states from before the action's first run. All of it
//! is one row. `state::lineage` has the lineage, `state::apply::back_step` applies the back step to
//! the state.

use serde_json::{Map, Value};

use super::{
    actions::{decision, execution},
    context::Step,
    due_date,
    record::Record,
    rejection::Rejection,
    state::FirstRun,
};
use crate::model::{executable::ExecutableAction, ids::ElementKey, variables::Variables};

/// Returns to a completed element and runs the action there.
pub(super) fn go_back(
    step: &mut Step<'_>,
    to: ElementKey,
    action: &ExecutableAction,
    payload: &Value,
) -> Result<(), Rejection> {
    // Checked before anything is recorded; the run below checks the same payload again and cannot
    // fail then.
    decision::accept(step, to, action, payload)?;
    let Some((node, first_run)) = step.state.element(to).map(|element| {
        (
            element.node().clone(),
            element.first_run(&action.name).map_or(0, FirstRun::seq),
        )
    }) else {
        return Ok(());
    };
    let restored = restoration(step, to, action);
    undo(step, to, first_run);
    let element = ElementKey(step.record(Record::Returned {
        to,
        node,
        action: action.name.clone(),
    }));
    if let Some(restored) = restored {
        for (scope, data) in restored.data {
            // The variables of the old visit pass to its new visit.
            let scope = scope.map(|scope| if scope == to { element } else { scope });
            step.record(Record::DataReplaced { scope, data });
        }
        step.record(Record::ViewReplaced {
            body: restored.view,
        });
        for patch in restored.kept {
            step.merge(Some(element), patch);
        }
    }
    due_date::begin_again(step, element);
    execution::run_in(step, element, action, payload)
}

/// The data and the view with which a `restartFromSnapshot` action begins.
struct Restoration {
    /// The data of the instance (`None`) and of the scopes of the element, the innermost first.
    data: Vec<(Option<ElementKey>, Value)>,
    view: Value,
    /// Patches with the present values of the restart keys, merged in this order.
    kept: [Value; 2],
}

/// The data to restore; `None` when the action leaves data and view as they are.
fn restoration(step: &Step<'_>, to: ElementKey, action: &ExecutableAction) -> Option<Restoration> {
    let first = step.state.element(to)?.first_run(&action.name)?;
    let view = first.view()?.clone();
    let data = step.state.restored_data(to, first.seq())?;
    let root = data.last().map(|(_, root)| root)?;
    let scopes = data.iter().take(data.len() - 1).map(|(_, owned)| owned);
    let restored = Variables::layered(scopes.collect(), root);
    let variables = step.variables(to);
    let [mut cleared, mut kept] = [(); 2].map(|()| Value::Object(Map::new()));
    for path in &action.restart_keys {
        let Some(present) = variables.at(path) else {
            continue;
        };
        // The present object replaces the earlier one, so that members deleted since then do not
        // return by the merge.
        if restored
            .at(path)
            .is_some_and(|earlier| earlier.is_object() && present.is_object() && earlier != present)
        {
            path.set(&mut cleared, Value::Null);
        }
        path.set(&mut kept, present.clone());
    }
    Some(Restoration {
        data,
        view,
        kept: [cleared, kept],
    })
}

/// Ends all descendants of the element since this first run: active elements with their timers,
/// children, and open messages.
fn undo(step: &mut Step<'_>, to: ElementKey, first_run: u64) {
    let ended: Vec<ElementKey> = step
        .state
        .active()
        .map(|(key, _)| key)
        .filter(|&key| step.state.descends(key, to))
        .collect();
    for seq in step.state.undone_messages(to, first_run) {
        step.record(Record::OfferClosed { seq });
    }
    let children = step
        .state
        .undone_children(to, first_run)
        .map(|child| child.start.child)
        .collect();
    step.end_children(children);
    for element in ended {
        step.terminate(element);
    }
}
