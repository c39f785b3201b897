//! Whether a caller may work at a user task now, on which drafts and presence depend. Nothing is
//! recorded. `actions` and `assignment` have the work itself.

use serde_json::Value;

use super::{
    actions::selection,
    assignment::user_task,
    command::RunAction,
    context::Step,
    guards::{require_execute, require_participant},
    rejection::{Rejection, RejectionKind},
};
use crate::model::ids::ElementKey;

/// The user task, if the caller may run this action there or, without one, act at all.
pub(super) fn may_work(
    step: &Step<'_>,
    element: Option<ElementKey>,
    action: Option<&str>,
) -> Result<ElementKey, Rejection> {
    let key = match (action, element) {
        (Some(action), element) => {
            let run = RunAction {
                action: action.to_owned(),
                element,
                data: Value::Null,
                file: None,
            };
            selection::target(step, &run)?.0
        }
        (None, Some(element)) => element,
        (None, None) => {
            let sentence = "expected an element or an action, but there is neither";
            return Err(Rejection::new(RejectionKind::BadRequest, sentence));
        }
    };
    require_participant(step)?;
    user_task(step, key)?;
    require_execute(step, key)?;
    Ok(key)
}
