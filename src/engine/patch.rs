//! An operator corrects the data of an instance: what an incident complains about can be mended,
//! then retried.
//!
//! Nothing moves by it: incidents are retried by themselves, and on hold the data change all the
//! same. It is nobody's work in the process, so no step back takes it out; one that restores
//! earlier data merges it again, in its place among later merges.

use serde_json::Value;

use super::{
    context::Step,
    guards::{forbidden, require_live},
    record::Record,
    rejection::{Rejection, RejectionKind},
};
use crate::{limits::DATA_DEPTH, model::deep_merge::exceeds_depth};

/// Merges into the data. Without any member nothing happens.
pub(super) fn patch(step: &mut Step<'_>, patch: Value) -> Result<(), Rejection> {
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
        let sentence = "expected data to merge, but there is no member in them: send at least one";
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    }
    if exceeds_depth(&patch, DATA_DEPTH) {
        let sentence = format!(
            "expected data of at most {DATA_DEPTH} levels, but these are deeper: merge less \
            at a time"
        );
        return Err(Rejection::new(RejectionKind::BadRequest, sentence));
    }
    step.record(Record::DataPatched { patch });
    Ok(())
}
