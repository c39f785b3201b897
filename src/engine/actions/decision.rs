//! A run in an approval: its result, its user, and the comment.
//!
//! The comment is a member of the payload that needs no key: it is stored with the decision, and is
//! not merged into the data without a key. `outcome` says which decision counts at the end of an
//! instance.
//!
//! # Rationale
//!
//! **An approval needs one of its two actions.** A user task with manual actions `approve` and
//! `reject` is completed when one of them was run. If both were mandatory, both would be needed; if
//! both were optional, nothing would wait. The names are part of the interface of the jobs.

use serde_json::{Value, json};

use crate::{
    engine::{context::Step, instance_outcome::is_approval, record::Record, rejection::Rejection},
    limits::COMMENT_BYTES,
    model::{
        action::{APPROVE, COMMENT, REJECT},
        deep_merge::deep_merge,
        executable::ExecutableAction,
        field_error::FieldError,
        ids::ElementKey,
        keys::Accepted,
    },
};

/// The parts of a payload that a run uses.
pub(in crate::engine) struct Taken {
    /// The payload, filtered by the keys.
    pub accepted: Accepted,
    /// The decision, in an approval.
    pub decision: Option<DecisionFields>,
}

/// A run of one of the two actions of an approval.
pub(in crate::engine) struct DecisionFields {
    approved: bool,
    comment: Option<String>,
}

/// Reads a payload for a run of an action.
pub(in crate::engine) fn accept(
    step: &Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    payload: &Value,
) -> Result<Taken, Rejection> {
    let decides =
        [APPROVE, REJECT].contains(&&*action.name) && step.node_of(key).is_some_and(is_approval);
    if !decides {
        let accepted = action
            .keys
            .accept(payload, step.evaluator)
            .map_err(Rejection::invalid_data)?;
        return Ok(Taken {
            accepted,
            decision: None,
        });
    }
    let comment = comment(payload);
    let mut payload = payload.clone();
    let is_key = action.keys.names().iter().any(|key| key == COMMENT);
    if let (false, Value::Object(members)) = (is_key, &mut payload) {
        members.remove(COMMENT);
    }
    match (action.keys.accept(&payload, step.evaluator), comment) {
        (Ok(accepted), Ok(comment)) => Ok(Taken {
            accepted,
            decision: Some(DecisionFields {
                approved: &*action.name == APPROVE,
                comment,
            }),
        }),
        (accepted, comment) => {
            let mut fields = accepted.err().unwrap_or_default();
            fields.extend(comment.err().map(|error| (COMMENT.to_owned(), error)));
            Err(Rejection::invalid_data(fields))
        }
    }
}

fn comment(payload: &Value) -> Result<Option<String>, FieldError> {
    match payload.get(COMMENT) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= COMMENT_BYTES => Ok(Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned)),
        Some(Value::String(text)) => {
            let sentence = format!(
                "expected a comment of at most {COMMENT_BYTES} bytes, but this one has {}; \
                shorten it",
                text.len()
            );
            Err(FieldError::new("maxLength", sentence).with("limit", COMMENT_BYTES))
        }
        Some(_) => {
            let sentence =
                "expected the comment of a decision to be a text, but it is another kind of value";
            Err(FieldError::not_of_type("string", sentence))
        }
    }
}

impl DecisionFields {
    /// Records the decision, and adds it to the data if the approval is defined so.
    pub fn note(self, step: &mut Step<'_>, key: ElementKey, data: &mut Value) {
        let Self { approved, comment } = self;
        if let Some(path) = step
            .node_of(key)
            .and_then(|node| node.user_task()?.decision_key.as_ref())
        {
            // All members are written each time: data are merged deeply, and members of an earlier
            // decision must not remain.
            let decision = json!({
                "decision": if approved { "approved" } else { "rejected" },
                "by": step.caller.map(|caller| &caller.subject),
                "at": step.now.to_string(),
                "comment": comment,
            });
            deep_merge(data, &path.nest(decision));
        }
        step.record(Record::Decided {
            element: key,
            approved,
            comment,
        });
    }
}
