//! The run of a manual action of an active element: the accepted part of the payload, and the work.

use serde_json::Value;

use super::{
    automatic::{OnRecord, delay, perform},
    decision::{Taken, accept},
    upload,
};
use crate::{
    engine::{
        context::Step,
        record::{Record, Remember},
        rejection::Rejection,
    },
    model::{executable::ExecutableAction, ids::ElementKey, keys::Accepted},
};

/// Runs an action of an active element that may run.
pub(in crate::engine) fn run_in(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    payload: &Value,
) -> Result<(), Rejection> {
    let taken = accept(step, key, action, payload)?;
    let occurrence = step
        .state
        .element(key)
        .map_or(1, |element| element.counts(&action.name).0 + 1);
    start_and_perform(step, key, action, taken, occurrence);
    Ok(())
}

/// Records and performs a run after all checks.
fn start_and_perform(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    taken: Taken,
    occurrence: u32,
) {
    let Taken {
        accepted: Accepted { mut data, ignored },
        decision,
    } = taken;
    step.ignored = ignored;
    let file = step.file.take();
    let remember = match (
        action.allow_back && occurrence == 1,
        action.restart_from_snapshot,
    ) {
        (false, _) => Remember::Nothing,
        (true, false) => Remember::Actions,
        (true, true) => Remember::Snapshot,
    };
    let delayed = delay(step, key, action, occurrence, remember);
    if !delayed {
        step.record(Record::ActionStarted {
            element: key,
            action: action.name.clone(),
            due: None,
            remember,
        });
    }
    if let Some(decision) = decision {
        decision.note(step, key, &mut data);
    }
    upload::merge(step, key, action, data, file);
    if !delayed {
        perform(step, key, action, occurrence, OnRecord::Started);
    }
    step.queue(key);
}
