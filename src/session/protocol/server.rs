//! The frames that the server sends to one connection, as text. The order of fields is that of the
//! protocol's page.
//!
//! Not here: frames that many connections share (`shared`).

use std::{borrow::Cow, collections::BTreeMap};

use bytestring::ByteString;
use serde::Serialize;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};
use utoipa::ToSchema;

use super::{
    channel::Channel,
    code::ErrorCode,
    step::{ActionEntry, ChildEntry, MoreEntries, NodeEntry},
};
use crate::{
    engine::{record::Status, state::OpenMessage},
    model::{field_error::FieldError, ids::InstanceKey},
    text::buffer::Buffer,
};

/// A size that suffices for most frames.
pub(super) const TYPICAL: usize = 768;

/// A frame that goes to one connection.
pub trait ServerFrame: Serialize {
    /// Its text.
    fn text(&self) -> ByteString {
        to_text(self)
    }
}

/// The JSON text of a wire type.
pub(in crate::session) fn to_text<T: Serialize + ?Sized>(frame: &T) -> ByteString {
    let mut buffer = Buffer::with_capacity(TYPICAL);
    write(&mut buffer, frame);
    text_of(buffer)
}

/// The JSON text of a part of a frame, to be put into frames.
pub(super) fn to_raw<T: Serialize + ?Sized>(part: &T) -> Box<RawValue> {
    to_raw_value(part).expect("wire types have text keys and no failing serializers")
}

/// Writes a wire type as JSON.
pub(super) fn write<T: Serialize + ?Sized>(buffer: &mut Buffer, frame: &T) {
    serde_json::to_writer(buffer, frame)
        .expect("wire types have text keys and no failing serializers");
}

/// The text that was written.
pub(super) fn text_of(buffer: Buffer) -> ByteString {
    String::from_utf8(buffer.into_bytes())
        .expect("JSON is written in UTF-8")
        .into()
}

/// Answers `hello`.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "welcome", rename_all = "camelCase")]
pub struct Welcome<'a> {
    /// Names the connection in logs.
    pub connection: &'a str,
    /// Subject of the identity.
    pub user: &'a str,
    /// The log incarnation: numbers of another one have no meaning here.
    pub log: &'a str,
    /// When the token ends, RFC 3339; absent without token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub expires_at: Option<String>,
    /// Seconds between the server's pings.
    pub ping_seconds: u32,
    /// The longest message a client may send.
    pub max_message_bytes: usize,
    /// How much the client may send.
    pub rate: RateEntry,
}

/// The rate limit; 0 is off.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateEntry {
    /// Messages per second in the long run.
    pub per_second: u32,
    /// Messages at once.
    pub burst: u32,
}

/// Answers a command that was done.
#[derive(Serialize)]
#[serde(tag = "type", rename = "reply")]
pub struct Reply<'a, R: Serialize> {
    /// The command's id.
    pub id: &'a str,
    /// Number the instance is at after the command; absent if the command concerns no instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Whether the command had been answered before.
    pub duplicate: bool,
    /// An object; `{}` if there is no result.
    pub result: R,
}

/// Answers a command that was refused, or reports a channel that cannot be followed.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "error", rename_all = "camelCase")]
pub struct ErrorFrame<'a> {
    /// The command's id, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<&'a str>,
    /// From the stable list.
    pub code: ErrorCode,
    /// A reason within the code, if the code has reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<&'a str>,
    /// The expected and the received value.
    pub message: &'a str,
    /// Whether the same command may succeed later.
    pub retryable: bool,
    /// With `invalid_data`: the violations, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fields: Option<&'a BTreeMap<String, FieldEntry>>,
    /// The channel it concerns, if it answers no command.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub channel: Option<&'a Channel>,
    /// With `conflict`: number the instance is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seq: Option<u64>,
    /// With an ambiguous action: the elements that offer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub elements: Option<&'a [String]>,
    /// With `rate_limited`: milliseconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub after_ms: Option<u64>,
}

/// The violation of a schema by the value at one path of a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldEntry {
    /// The violated keyword of JSON Schema: `required`, `type`, `format`, `minimum`, …
    pub code: Cow<'static, str>,
    /// The expected and the received value.
    pub message: String,
    /// The parameters of the keyword, with the names that Ajv uses: `{"limit": 18}`.
    pub params: Map<String, Value>,
}

impl From<FieldError> for FieldEntry {
    fn from(
        FieldError {
            code,
            message,
            params,
        }: FieldError,
    ) -> Self {
        Self {
            code,
            message,
            params,
        }
    }
}

impl<'a> ErrorFrame<'a> {
    /// An error with a code and a sentence; the other fields are to be set.
    pub fn new(id: Option<&'a str>, code: ErrorCode, message: &'a str) -> Self {
        Self {
            id,
            code,
            reason: None,
            message,
            retryable: code.retryable(),
            fields: None,
            channel: None,
            seq: None,
            elements: None,
            after_ms: None,
        }
    }
}

/// The whole state of an instance for a client; replaces the client's state.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "snapshot")]
pub struct Snapshot<'a> {
    /// The instance's channel.
    pub channel: &'a Channel,
    /// The number of this state; the cursor from here.
    pub seq: u64,
    /// The process's id.
    pub process: &'a str,
    /// The instance it is a child of.
    #[schema(required)]
    pub parent: Option<InstanceKey>,
    /// Status of the instance.
    #[schema(value_type = Status)]
    pub status: &'a str,
    /// The outcome, once it has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a str>,
    /// The fold of all Data bodies.
    #[schema(value_type = Object)]
    pub view: &'a Value,
    /// Active elements.
    #[schema(value_type = Vec<NodeEntry>)]
    pub nodes: &'a RawValue,
    /// Actions that the receiver may run.
    #[schema(value_type = Vec<ActionEntry>)]
    pub actions: &'a RawValue,
    /// How many more there are of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub more: Option<MoreEntries>,
    /// Action messages that stay open.
    pub open: &'a [OpenAction<'a>],
    /// Its children, live and ended.
    pub children: &'a [ChildEntry<'a>],
}

/// An Action message that can be answered: by a start that inherits from it, or by `done`.
#[derive(Serialize, ToSchema)]
pub struct OpenAction<'a> {
    /// Its number.
    pub seq: u64,
    /// Its body, any JSON.
    pub body: &'a Value,
    /// Until when, RFC 3339.
    #[schema(format = DateTime)]
    pub until: String,
}

impl<'a> From<(&u64, &'a OpenMessage)> for OpenAction<'a> {
    fn from((&seq, message): (&u64, &'a OpenMessage)) -> Self {
        Self {
            seq,
            body: &message.body,
            until: message.until.to_string(),
        }
    }
}

/// Schemas of actions, for a client that has asked for them in its `hello`: each schema is sent
/// once, before the first frame with an action that names it.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "schemas")]
pub struct Schemas<'a> {
    /// The `schema` of an action → the JSON Schema.
    #[schema(value_type = Object)]
    pub schemas: &'a BTreeMap<&'a str, &'a Value>,
}

/// A resumed channel has caught up.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "live")]
pub struct Live<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Number it is at.
    pub seq: u64,
}

/// The next frame of the channel is a snapshot that replaces the client's state.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "resync")]
pub struct Resync<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// The reason.
    pub reason: ResyncReason,
}

/// Why a subscription cannot continue at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResyncReason {
    /// Too many frames were missed.
    Lag,
    /// The client's number is beyond the instance's.
    Ahead,
    /// The log was restored: its numbers belong to another incarnation.
    Restored,
    /// The permissions of the client have changed.
    Access,
}

/// Asks for a `pong`.
#[derive(Serialize)]
#[serde(tag = "type", rename = "ping")]
pub struct Ping {}

/// The server is about to close the connection, or to end a stream.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "bye", rename_all = "camelCase")]
pub struct Bye<'a> {
    /// The reason: `restart`; on a stream also `ended`, `token_expired` or `revoked`.
    pub reason: &'a str,
    /// When to reconnect; absent if reconnecting is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect_after_ms: Option<u64>,
}

impl ServerFrame for Welcome<'_> {}
impl<R: Serialize> ServerFrame for Reply<'_, R> {}
impl ServerFrame for ErrorFrame<'_> {}
impl ServerFrame for Snapshot<'_> {}
impl ServerFrame for Schemas<'_> {}
impl ServerFrame for Live<'_> {}
impl ServerFrame for Resync<'_> {}
impl ServerFrame for Ping {}
impl ServerFrame for Bye<'_> {}

#[cfg(test)]
mod tests;
