//! Drafts and presence of a user task, in both directions. They have no numbers, because they are
//! not part of the instance.

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

/// Saves what a user has typed into an action, without validation, or drops it.
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
    /// The input, at most 16 KiB; if absent or `null`, the draft is dropped.
    pub data: Option<Payload>,
}

/// Reports that a user has a task open, types there, or has closed it.
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

/// The state of a task for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum PresenceState {
    /// The user has it open.
    Open,
    /// The user types there.
    Typing,
    /// The user has closed it.
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

/// The text of a draft, if it is short enough.
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

/// A draft of the receiver, as it was last saved.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "drafted", rename_all = "camelCase")]
pub struct Drafted<'a> {
    /// The instance's channel.
    pub channel: &'a Channel,
    /// The user task.
    pub element: String,
    /// The action.
    pub action: &'a str,
    /// The input; `null` if there is no draft any more.
    #[schema(value_type = Option<Object>, required)]
    pub data: Option<&'a RawValue>,
    /// When it was saved, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub saved_at: Option<String>,
}

/// The other users who have a task open; replaces the previous list.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "present", rename_all = "camelCase")]
pub struct PresentAt<'a> {
    /// The instance's channel.
    pub channel: &'a Channel,
    /// The user task.
    pub element: String,
    /// Users of other connections than the receiver's, one entry per user.
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
