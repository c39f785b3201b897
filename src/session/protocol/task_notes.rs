//! What is said beside a user task, in both directions: drafts and presence. Neither has a number:
//! they are no part of the instance.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    channel::Channel,
    client::{FrameId, Payload},
    code::ErrorCode,
    fields::{Fields, Sentence, quoted},
    reading::element,
    server::ServerFrame,
    wire_error::WireError,
};
use crate::{
    limits,
    model::ids::{ElementKey, InstanceKey},
};

/// Saves what a user has typed into an action, unchecked, or drops it.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DraftOf {
    /// Correlates the reply.
    #[schema(ignore)]
    pub id: FrameId,
    /// The instance.
    #[schema(ignore)]
    pub instance: InstanceKey,
    /// The user task; needed only when several offer the action.
    #[schema(nullable = false)]
    pub element: Option<ElementKey>,
    /// The action.
    #[schema(max_length = 256)]
    pub action: String,
    /// What was typed, at most 16 KiB; without it, or with `null`, the draft is dropped.
    pub data: Option<Payload>,
}

/// Says that a user has a task open, types, or has it open no longer.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PresenceAt {
    /// Correlates the reply.
    #[schema(ignore)]
    pub id: FrameId,
    /// The instance.
    #[schema(ignore)]
    pub instance: InstanceKey,
    /// The user task.
    pub element: ElementKey,
    /// `open`, `typing` (for 10 s) or `closed`.
    pub state: PresenceState,
}

/// How a task is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum PresenceState {
    /// Somebody has it open.
    Open,
    /// And types.
    Typing,
    /// No longer.
    Closed,
}

pub(super) fn draft(
    fields: &Fields<'_>,
    id: FrameId,
    instance: InstanceKey,
) -> Result<DraftOf, Sentence> {
    Ok(DraftOf {
        id,
        instance,
        element: element(fields, instance)?,
        action: fields.required("action", fields.name("action")?)?,
        data: fields.payload("data")?,
    })
}

/// The text of a draft that is short enough.
///
/// # Errors
/// `too_large`.
pub fn text_of_draft(data: &Payload) -> Result<String, WireError> {
    let text = data.text();
    if text.len() <= limits::DRAFT_BYTES {
        return Ok(text.to_owned());
    }
    let sentence = format!(
        "expected a draft of at most {} bytes, but it has {}",
        limits::DRAFT_BYTES,
        text.len()
    );
    Err(WireError::new(ErrorCode::TooLarge, sentence))
}

pub(super) fn presence(
    fields: &Fields<'_>,
    id: FrameId,
    instance: InstanceKey,
) -> Result<PresenceAt, Sentence> {
    let state = fields.required("state", fields.text("state")?)?;
    let state = match &*state {
        "open" => PresenceState::Open,
        "typing" => PresenceState::Typing,
        "closed" => PresenceState::Closed,
        other => {
            return Err(format!(
                "expected 'state' to be open, typing or closed, but it is {}",
                quoted(other)
            ));
        }
    };
    Ok(PresenceAt {
        id,
        instance,
        element: fields.required("element", element(fields, instance)?)?,
        state,
    })
}

/// A draft of the receiver's, as it was saved last.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "drafted", rename_all = "camelCase")]
pub struct Drafted<'a> {
    /// The instance's channel.
    pub channel: &'a Channel,
    /// The user task.
    pub element: String,
    /// The action.
    pub action: &'a str,
    /// What was typed; `null` when there is no draft any more.
    #[schema(value_type = Option<Object>, required)]
    pub data: Option<&'a RawValue>,
    /// When it was saved, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub saved_at: Option<String>,
}

/// Who else has a task open; replaces what was said of it before.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "present", rename_all = "camelCase")]
pub struct PresentAt<'a> {
    /// The instance's channel.
    pub channel: &'a Channel,
    /// The user task.
    pub element: String,
    /// Other connections than the receiver's, one entry per user.
    pub users: &'a [PresentUser],
}

/// A user who has a task open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PresentUser {
    /// The subject.
    pub user: String,
    /// Whether the user types.
    pub typing: bool,
    /// Since when it is open, RFC 3339.
    #[schema(format = DateTime)]
    pub since: String,
}

impl ServerFrame for Drafted<'_> {}
impl ServerFrame for PresentAt<'_> {}
