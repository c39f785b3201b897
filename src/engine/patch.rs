//! An operator corrects the data of an instance, or the variables of one of its elements: what an
//! incident complains about can be fixed, then retried.
//!
//! Nothing moves by it: incidents are retried by themselves, and on hold the data change
//! nevertheless. It is nobody's work in the process, so no step back takes it out; one that
//! restores earlier data merges it again, in its place among later merges.

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

/// Merges into the data, or into the variables of an element: what it does not own yet it owns then.
///
/// # Errors
/// A caller who is no operator, an instance that has ended, a scope that is not active, what is no
/// object, has no member or is too deep, and variables that the instance has no room for.
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

/// Refuses a scope that nothing reads any more, or that was never there.
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
