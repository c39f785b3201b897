//! The frames a client sends, from text to [`ClientFrame`].
//!
//! Not here: what they do (`session`), and whether their payload fits the process (`engine`). A
//! frame that cannot be read becomes a [`FrameError`], which has the frame's id if it could be
//! read, and names the field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    channel::Channel,
    clock::ClockMove,
    code::ErrorCode,
    fields::{Fields, quoted},
    on_instance::OnInstance,
    publish::Publish,
    reading::{frame, hello, read},
    task_notes::{DraftOf, PresenceAt},
};
use crate::{
    engine::trace::TraceContext,
    model::ids::{ElementKey, InstanceKey},
    text::json::{self, JsonError},
};

/// One frame of a client.
#[derive(Debug)]
pub enum ClientFrame {
    /// The first frame of a connection.
    Hello(Hello),
    /// Starts a process instance.
    Start(Start),
    /// Runs a manual action.
    Run(Run),
    /// Follows a channel.
    Subscribe {
        /// Correlates the reply.
        id: FrameId,
        /// The channel to follow.
        channel: Channel,
        /// Number to continue after; absent asks for a snapshot.
        after: Option<u64>,
        /// Whether descendants are followed, too; `true` by default.
        tree: bool,
    },
    /// Stops following a channel.
    Unsubscribe {
        /// Correlates the reply.
        id: FrameId,
        /// The channel to leave.
        channel: Channel,
    },
    /// Brings a fresh token in band.
    Auth {
        /// Correlates the reply.
        id: FrameId,
        /// The bearer token.
        token: String,
    },
    /// Closes an open Action message.
    Done {
        /// Correlates the reply.
        id: FrameId,
        /// The instance that pushed the message.
        instance: InstanceKey,
        /// The message's number.
        seq: u64,
    },
    /// Corrects the data of an instance.
    Patch(Patch),
    /// Publishes a message or signal.
    Publish(Publish),
    /// Saves or drops a draft.
    Draft(DraftOf),
    /// Opens or closes a task, or reports typing there.
    Presence(PresenceAt),
    /// Answers a ping; any other frame would do, too.
    Pong,
    /// A command on an instance that has no data.
    OnInstance {
        /// Correlates the reply.
        id: FrameId,
        /// The instance.
        instance: InstanceKey,
        /// Which command.
        command: OnInstance,
    },
    /// Moves the process time.
    Clock {
        /// Correlates the reply.
        id: FrameId,
        /// The new time.
        to: ClockMove,
    },
    /// Asks for a reply once nothing is in progress.
    Idle {
        /// Correlates the reply.
        id: FrameId,
    },
}

impl ClientFrame {
    /// The id that its answer has to repeat.
    pub fn id(&self) -> Option<&FrameId> {
        match self {
            Self::Start(Start { id, .. })
            | Self::Run(Run { id, .. })
            | Self::Patch(Patch { id, .. })
            | Self::Publish(Publish { id, .. })
            | Self::Draft(DraftOf { id, .. })
            | Self::Presence(PresenceAt { id, .. })
            | Self::Subscribe { id, .. }
            | Self::Unsubscribe { id, .. }
            | Self::Auth { id, .. }
            | Self::Done { id, .. }
            | Self::OnInstance { id, .. }
            | Self::Clock { id, .. }
            | Self::Idle { id } => Some(id),
            Self::Hello(_) | Self::Pong => None,
        }
    }
}

/// The client of a connection, and the subscriptions to continue.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Hello {
    /// Bearer token; absent for an anonymous connection.
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// Name and version of the client, for logs.
    #[schema(nullable = false, max_length = 256)]
    pub client: Option<String>,
    /// The log incarnation that the numbers in `resume` belong to.
    #[schema(nullable = false, max_length = 256)]
    pub log: Option<String>,
    /// The position of each subscription.
    #[schema(required = false)]
    pub resume: Vec<ResumePoint>,
    /// Close code of the former connection, for logs.
    #[schema(nullable = false)]
    pub last_close: Option<u64>,
    /// Whether the server sends the schemas of actions; off by default.
    #[schema(required = false)]
    pub schemas: bool,
}

/// The position of a subscription.
#[derive(Debug, PartialEq, Eq, ToSchema)]
pub struct ResumePoint {
    /// The instance followed.
    pub instance: InstanceKey,
    /// Number of the last frame applied.
    pub after: u64,
}

/// The process to start, and its data.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Start {
    /// Correlates the reply; a UUID makes it idempotent.
    #[schema(ignore)]
    pub id: FrameId,
    /// The process's id; absent only when an Action message names it.
    #[schema(nullable = false, max_length = 256)]
    pub process: Option<String>,
    /// Start data.
    #[schema(nullable = false)]
    pub data: Option<Payload>,
    /// The client's own key for the instance.
    #[schema(nullable = false, max_length = 256)]
    pub business_key: Option<String>,
    /// The start event, by its start condition.
    #[schema(nullable = false, max_length = 256)]
    pub start_condition: Option<String>,
    /// The instance that data are copied from.
    #[schema(nullable = false)]
    pub inherit_from: Option<InheritFrom>,
    /// Whether to start the draft, as a test; off by default.
    #[schema(required = false, default = false)]
    pub test: bool,
    /// Whether this connection follows the new instance from its first record; on by default. A
    /// request over HTTP follows nothing.
    #[schema(required = false, default = true)]
    pub subscribe: bool,
    /// A secret of an anonymous client, which gets its token again with a repeat of the start.
    #[schema(nullable = false, max_length = 256)]
    pub nonce: Option<String>,
}

/// The source of inherited data.
#[derive(Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct InheritFrom {
    /// The instance.
    pub instance: InstanceKey,
    /// The Action message that asks for the start; without it the lists below are used, which needs
    /// role operator.
    #[schema(nullable = false)]
    pub seq: Option<u64>,
    /// Paths to copy; if absent, everything is copied.
    #[schema(nullable = false)]
    pub params_to_copy: Option<Vec<String>>,
    /// Paths to leave out.
    #[schema(required = false)]
    pub without_params: Vec<String>,
}

/// The manual action to run, and its data.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Run {
    /// Correlates the reply; a UUID makes it idempotent.
    #[schema(ignore)]
    pub id: FrameId,
    /// The instance.
    #[schema(ignore)]
    pub instance: InstanceKey,
    /// The action's name.
    #[schema(max_length = 256)]
    pub action: String,
    /// The user's input.
    #[schema(nullable = false)]
    pub data: Option<Payload>,
    /// The element, when several offer the action.
    #[schema(nullable = false)]
    pub element: Option<ElementKey>,
    /// Refuse with `conflict` unless the instance is at this number.
    #[schema(nullable = false)]
    pub if_seq: Option<u64>,
}

/// The version of its process that an instance is to run.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Migrate {
    /// A UUID makes it idempotent.
    #[schema(ignore)]
    pub id: FrameId,
    /// The version: published, deprecated, or replaced by a newer one.
    pub version: u32,
    /// Ids of nodes and flows of that version, by those of the version that the instance runs;
    /// others keep their ids.
    #[schema(nullable = false, required = false)]
    pub mapping: BTreeMap<String, String>,
    /// Refuse with `conflict` unless the instance is at this number.
    #[schema(nullable = false)]
    pub if_seq: Option<u64>,
}

/// The data to merge into those of an instance.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Patch {
    /// Correlates the reply; a UUID makes it idempotent.
    #[schema(ignore)]
    pub id: FrameId,
    /// The instance.
    #[schema(ignore)]
    pub instance: InstanceKey,
    /// Merged member by member; any value other than an object replaces the present one, `null`
    /// too.
    pub data: Payload,
    /// The element whose variables are changed, which it owns from then on; if absent, the data of
    /// the instance.
    #[schema(nullable = false)]
    pub scope: Option<ElementKey>,
    /// Refuse with `conflict` unless the instance is at this number.
    #[schema(nullable = false)]
    pub if_seq: Option<u64>,
}

/// The id that a client gave its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameId(String);

impl FrameId {
    /// From the text of a frame.
    pub(super) fn new(id: String) -> Self {
        Self(id)
    }

    /// As the client wrote it; repeated in the answer.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The idempotency key: the id, if it is a hyphenated UUID.
    pub fn uuid(&self) -> Option<Uuid> {
        (self.0.len() == 36)
            .then(|| Uuid::parse_str(&self.0).ok())
            .flatten()
    }
}

impl From<Uuid> for FrameId {
    fn from(id: Uuid) -> Self {
        Self(id.hyphenated().to_string())
    }
}

/// A JSON object that has not been parsed.
#[derive(Clone, Debug)]
pub struct Payload(Box<RawValue>);

impl Payload {
    pub(super) fn new(object: Box<RawValue>) -> Self {
        Self(object)
    }

    /// Its text, one JSON object.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Its members. Faults that only parsing finds (half a surrogate pair, a number that would lose
    /// digits) fail here: answer `bad_request` with the sentence.
    pub fn parse(&self) -> Result<Map<String, Value>, String> {
        json::from_text(self.text()).map_err(|error| match error {
            JsonError::Inexact { .. } => {
                format!("expected 'data' to hold numbers that keep their digits, but {error}")
            }
            JsonError::Repeated { .. } => {
                format!("expected 'data' to hold each member once, but {error}")
            }
            error => format!("expected 'data' to be a JSON object, but: {error}"),
        })
    }
}

/// Why a frame could not be read.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameError {
    /// The frame's id, where it could be read.
    pub id: Option<String>,
    /// `bad_request` or `too_large`.
    pub code: ErrorCode,
    /// The expected and the received value.
    pub message: String,
}

/// Reads one text message of a client.
pub fn parse(text: &str) -> Result<ClientFrame, FrameError> {
    parse_traced(text).map(|(frame, _)| frame)
}

/// As [`parse`], with the trace that the frame names, if any.
pub fn parse_traced(text: &str) -> Result<(ClientFrame, Option<TraceContext>), FrameError> {
    let (fields, id) = read(text)?;
    let trace = trace(&fields);
    let whole = || {
        let frame = frame(&fields, id.as_ref())?;
        // A `pong` has no content, so nothing in it can be mistyped.
        if !matches!(frame, ClientFrame::Pong) {
            fields.finish()?;
        }
        Ok(frame)
    };
    let whole = whole().map(|frame| (frame, trace));
    whole.map_err(|message| FrameError {
        id: id.map(|id| id.0),
        code: ErrorCode::BadRequest,
        message,
    })
}

/// The trace that a frame names. Values that are no texts, or cannot be read, count as absent.
fn trace(fields: &Fields<'_>) -> Option<TraceContext> {
    let parent = fields.text("traceparent").unwrap_or_default();
    let state = fields.text("tracestate").unwrap_or_default();
    TraceContext::read(parent.as_deref(), state.as_deref())
}

/// Reads the first text message of a client, which must be a `hello`.
pub fn parse_hello(text: &str) -> Result<Hello, FrameError> {
    let (fields, id) = read(text)?;
    // It has no effect that belongs to a trace; a client may still send one in every frame.
    let _ = trace(&fields);
    let first = || match fields.text("type")?.as_deref() {
        Some("hello") => {
            let hello = hello(&fields)?;
            fields.finish().map(|()| hello)
        }
        Some(other) => Err(format!(
            "expected 'hello' as the 'type' of a connection's first frame, but it is {}: send \
            hello first",
            quoted(other)
        )),
        None => Err(
            "expected 'hello' as the 'type' of a connection's first frame, but it has no 'type'"
                .into(),
        ),
    };
    first().map_err(|message| FrameError {
        id: id.map(|id| id.0),
        code: ErrorCode::BadRequest,
        message,
    })
}

#[cfg(test)]
mod tests;
