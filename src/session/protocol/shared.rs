//! Frames of an instance's channel: written once, sent to every subscriber.
//!
//! Subscribers differ only in `prev`, and usually not even there. So a frame is kept as a whole,
//! and written again only for a subscriber at another position.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::{
    channel::Channel,
    server::{self, TYPICAL},
    step::{ActionEntry, ChildEntry, MoreEntries, NodeEntry},
};
use crate::{
    engine::record::Status, model::ids::InstanceKey, runtime::channel::SharedFrame,
    text::buffer::Buffer,
};

/// The content of a shared frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedKind {
    /// A Data message.
    Data,
    /// An Action message.
    Action,
    /// A new view.
    View,
    /// A child instance.
    Child,
    /// The state after a command.
    Progress,
}

impl SharedKind {
    fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Action => "action",
            Self::View => "view",
            Self::Child => "child",
            Self::Progress => "progress",
        }
    }
}

/// Body of a Data message.
#[derive(Serialize, ToSchema)]
pub struct DataTail<'a> {
    /// The instance.
    pub instance: InstanceKey,
    /// Node that pushed it.
    pub node: &'a str,
    /// Action that pushed it.
    pub action: &'a str,
    /// The JSON object to merge into the view.
    #[schema(value_type = Object)]
    pub body: &'a Value,
    /// The child that it came from.
    #[schema(required)]
    pub origin: Option<InstanceKey>,
    /// Id of the command that caused it.
    #[schema(required)]
    pub cause: Option<&'a str>,
}

/// Body of an Action message.
#[derive(Serialize, ToSchema)]
pub struct ActionTail<'a> {
    /// The instance.
    pub instance: InstanceKey,
    /// Node that pushed it.
    pub node: &'a str,
    /// The request to the frontend, any JSON.
    pub body: &'a Value,
    /// Until when it can be answered, RFC 3339; absent if it needs no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub until: Option<String>,
}

/// A view that replaces the client's.
#[derive(Serialize, ToSchema)]
pub struct ViewTail<'a> {
    /// The new view.
    #[schema(value_type = Object)]
    pub body: &'a Value,
}

/// A child that was started or has changed its status.
#[derive(Serialize, ToSchema)]
pub struct ChildTail<'a> {
    /// The child.
    pub child: ChildEntry<'a>,
}

/// The state of the instance after a command; complete, not a patch.
#[derive(Serialize, ToSchema)]
pub struct ProgressTail<'a> {
    /// Status of the instance.
    #[schema(value_type = Status)]
    pub status: &'a str,
    /// The outcome, once it has finished: `rejected` or `skipped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a str>,
    /// Active elements.
    #[schema(value_type = Vec<NodeEntry>)]
    pub nodes: &'a RawValue,
    /// Actions that receivers of this frame may run.
    #[schema(value_type = Vec<ActionEntry>)]
    pub actions: &'a RawValue,
    /// How many more there are of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub more: Option<MoreEntries>,
    /// Id of the command that caused it.
    #[schema(required)]
    pub cause: Option<&'a str>,
}

/// The part of a shared frame after the numbers. The list below implements it for each kind.
pub trait Tail: Serialize {
    /// The kind of the frame.
    const KIND: SharedKind;
}

impl Tail for DataTail<'_> {
    const KIND: SharedKind = SharedKind::Data;
}
impl Tail for ActionTail<'_> {
    const KIND: SharedKind = SharedKind::Action;
}
impl Tail for ViewTail<'_> {
    const KIND: SharedKind = SharedKind::View;
}
impl Tail for ChildTail<'_> {
    const KIND: SharedKind = SharedKind::Child;
}
impl Tail for ProgressTail<'_> {
    const KIND: SharedKind = SharedKind::Progress;
}

/// Writes a frame of `instance`'s channel.
pub fn shared_frame<T: Tail>(
    instance: InstanceKey,
    seq: u64,
    natural_prev: u64,
    tail: &T,
) -> SharedFrame {
    // No name or key in the header needs escaping.
    let kind = T::KIND.name();
    let mut head = String::with_capacity(TYPICAL);
    let _ = write!(
        head,
        r#"{{"type":"{kind}","channel":"{}","seq":{seq},"prev":"#,
        Channel::Instance(instance)
    );
    let prev_at = head.len();
    let _ = write!(head, "{natural_prev}");
    let tail_at = head.len();
    let mut buffer = Buffer::from(head.into_bytes());
    server::write(&mut buffer, tail);
    // The tail is an object with at least one member: its opening bracket is replaced by a comma.
    let mut bytes = buffer.into_bytes();
    bytes[tail_at] = b',';
    let whole = server::text_of(Buffer::from(bytes));
    SharedFrame::new(seq, natural_prev, whole, prev_at..tail_at)
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn the_frame_text_is_shared_unless_prev_differs() {
        let key: InstanceKey = "0197a1b2-0000-7000-8000-000000000007".parse().unwrap();
        let body = serde_json::json!({"a": 1});
        let frame = shared_frame(key, 95, 94, &ViewTail { body: &body });
        let head = r#"{"type":"view","channel":"instance/0197a1b2-0000-7000-8000-000000000007","seq":95,"prev":"#;
        assert_eq!(
            frame.for_cursor(94),
            format!(r#"{head}94,"body":{{"a":1}}}}"#)
        );
        assert_eq!(
            frame.for_cursor(7),
            format!(r#"{head}7,"body":{{"a":1}}}}"#)
        );
        assert!(ptr::eq(
            frame.for_cursor(94).as_ptr(),
            frame.for_cursor(94).as_ptr()
        ));
    }
}
