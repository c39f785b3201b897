//! The evaluation of conditional start events with the data of a client: its request.

use utoipa::ToSchema;

use super::{
    client::{FrameId, Payload},
    code::ErrorCode,
    fields::{Fields, Sentence},
    to_command::{canonical, object, subject},
    wire_error::WireError,
};
use crate::{
    engine::{access::Caller, record::CommandTag},
    limits::{self, Limit},
    runtime::{StartConditions, keys::body_hash},
};

/// Starts an instance at each conditional start event whose condition is true with these data.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct EvaluateConditions {
    /// The command's id.
    #[schema(ignore)]
    pub id: FrameId,
    /// The process whose conditions are evaluated; if absent, those of all published processes,
    /// which needs role `operator`.
    #[schema(nullable = false, max_length = 256)]
    pub process: Option<String>,
    /// The data that the conditions read, and start data of the instances.
    #[schema(nullable = false)]
    pub data: Option<Payload>,
    /// The client's own key for the instances.
    #[schema(nullable = false, max_length = 256)]
    pub business_key: Option<String>,
}

pub(super) fn read(fields: &Fields<'_>, id: FrameId) -> Result<EvaluateConditions, Sentence> {
    Ok(EvaluateConditions {
        id,
        process: fields.name("process")?,
        data: fields.payload("data")?,
        business_key: fields.name("businessKey")?,
    })
}

/// The request to the runtime.
///
/// # Errors
/// `bad_request` for data that are no object; `forbidden` for users who are no operators and name
/// no process; `too_large` for large data.
pub fn to_request(
    evaluate: &EvaluateConditions,
    caller: &Caller,
) -> Result<StartConditions, WireError> {
    let data = object(evaluate.data.as_ref())?;
    if evaluate.process.is_none() && !caller.operator {
        let sentence = "expected role operator to evaluate the conditions of all processes, but \
            this user does not have it: name a process in 'process'";
        return Err(WireError::new(ErrorCode::Forbidden, sentence));
    }
    let bytes = evaluate.data.as_ref().map_or(0, |data| data.text().len());
    if bytes > limits::PUBLISHED_BYTES.get() {
        Limit::PublishedBytes.refused();
        let sentence = format!(
            "expected 'data' of at most {} bytes, because each instance gets a copy, but they have \
            {bytes}: pass a reference to them",
            limits::PUBLISHED_BYTES.get()
        );
        return Err(WireError::new(ErrorCode::TooLarge, sentence));
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
    let tag = CommandTag {
        id: evaluate.id.uuid().unwrap_or_else(uuid::Uuid::now_v7),
        subject: subject(caller),
        hash: body_hash(&[
            b"conditions",
            &text(&evaluate.process),
            &text(&evaluate.business_key),
            &canonical(&data),
        ]),
    };
    Ok(StartConditions {
        process: evaluate.process.clone(),
        data,
        business_key: evaluate.business_key.clone(),
        caller: caller.clone(),
        tag,
    })
}
