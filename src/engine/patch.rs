//! An operator corrects the data of an instance, or the variables of one of its elements, so that
//! the cause of an incident can be fixed before a retry.
//!
//! A patch moves nothing: incidents need a separate retry, and data change even on hold. It does
//! not belong to any step of the process, so no step back removes it; one that restores earlier
//! data merges the patch again, in its place among later merges.

use serde_json::Value;

use super::{
    context::Step,
    guards::{forbidden, require_live},
    quotas,
    record::Record,
    rejection::{Rejection, RejectionKind},
    state::ElementInstance,
};
use crate::{
    limits::DATA_DEPTH,
    model::{deep_merge::exceeds_depth, ids::ElementKey},
};

/// Merges into the data, or into the variables of an element, which then owns them.
///
/// # Errors
/// The caller is not an operator, the instance has ended, the scope is not active, the patch is not
/// an object, is empty or too deep, or there is no room for the variables.
pub(super) fn patch(
    step: &mut Step<'_>,
    scope: Option<ElementKey>,
    patch: Value,
) -> Result<(), Rejection> {
    if step.caller.is_some_and(|caller| !caller.operator) {
        return Err(forbidden(
            "expected role operator or admin to change the data of an instance, but this user \
            has neither",
        ));
    }
    require_live(step)?;
    let Value::Object(members) = &patch else {
        let sentence = "expected the data to merge to be a JSON object, but they are another value";
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    };
    if members.is_empty() {
        let sentence = "expected data to merge, but they have no member: send at least one";
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    }
    if exceeds_depth(&patch, DATA_DEPTH) {
        let sentence = format!(
            "expected data of at most {DATA_DEPTH} levels, but these are deeper: merge less \
            at a time"
        );
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    }
    if let Some(key) = scope {
        require_scope(step, key)?;
        quotas::for_variables(step, patch.to_string().len())
            .map_err(|(_, sentence)| Rejection::new(RejectionKind::Conflict, sentence))?;
    }
    step.record(Record::DataPatched { scope, patch });
    Ok(())
}

/// Refuses a scope that nothing reads any more, or that never existed.
fn require_scope(step: &Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    let element = step.state.element(key);
    if element.is_some_and(ElementInstance::is_active) {
        return Ok(());
    }
    let sentence = "expected `scope` to be an active element of the instance, but it is not: it \
        has ended, or never began. Read the instance and use one of its nodes, or leave `scope` \
        out for the data of the instance";
    Err(Rejection::new(RejectionKind::Conflict, sentence))
}
