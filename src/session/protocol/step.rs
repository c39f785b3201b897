//! The entries that describe a step: active elements, actions, children. They are the same in
//! replies, progress and snapshots.
//!
//! These are wire shapes only; `runtime` has what they are made from.

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::channel::Channel;
use crate::{
    engine::record::Status,
    model::{action::Required, ids::InstanceKey},
    runtime::channel::RenderedEntries,
};

/// An active element, as one receiver sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeEntry<'a> {
    /// Element key in its wire form.
    pub element: String,
    /// Node id, by the modeller.
    pub node: &'a str,
    /// Node name, by the modeller.
    pub name: &'a str,
    /// BPMN element name, such as `userTask`.
    pub r#type: &'a str,
    /// The element of the embedded subprocess that contains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The number of the iteration, from 1, of an activity that runs more than once; its `scope` is
    /// the activity as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub loop_counter: Option<u32>,
    /// Whether the receiver may only read it.
    pub read_only: bool,
    /// Who has claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignee: Option<&'a str>,
    /// When it is due, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// When it last sent a reminder, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<String>,
    /// The incident because of which it does not continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub incident: Option<IncidentEntry<'a>>,
}

/// An incident at an element.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct IncidentEntry<'a> {
    /// Stable name of its kind.
    pub code: &'a str,
    /// What was expected, and what was found; users who may not read definitions get a general
    /// sentence.
    pub message: &'a str,
}

/// An action the receiver may run now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionEntry<'a> {
    /// Its name, for `run`.
    pub name: &'a str,
    /// Element key in its wire form.
    pub element: String,
    /// Node id.
    pub node: &'a str,
    /// Display order.
    pub order: i64,
    /// Type of its work, such as `saveData`.
    pub r#type: &'a str,
    /// `mandatory` or `optional`.
    #[schema(value_type = Required)]
    pub required: &'a str,
    /// Whether it may run more than once in a visit.
    pub repeatable: bool,
    /// The action it is a child of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent: Option<&'a str>,
    /// Whether running it moves the token back.
    pub back: bool,
    /// Paths that its data may contain.
    pub keys: Vec<&'a str>,
    /// Those of them that are required.
    pub required_keys: Vec<&'a str>,
    /// Name of the JSON Schema of its data, as in a `schemas` frame; absent: it takes no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub schema: Option<&'a str>,
    /// Id of the activity that it starts, for an action of an ad-hoc subprocess.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub activity: Option<&'a str>,
    /// The present data at its keys, with which a form begins. Absent: there are none, or they are
    /// too large to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub initial: Option<&'a Value>,
    /// The largest file that it takes, in bytes, for `uploadFile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The media types that it takes, such as `image/*`; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<&'a [String]>,
}

/// The number of elements and actions that a step does not list; an instance's REST view lists all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MoreOfStep)]
pub struct MoreEntries {
    /// How many active elements.
    pub nodes: usize,
    /// How many actions.
    pub actions: usize,
}

impl MoreEntries {
    /// `None` where nothing is left out.
    pub fn of(entries: &RenderedEntries) -> Option<Self> {
        let (nodes, actions) = (entries.more_nodes, entries.more_actions);
        (nodes + actions > 0).then_some(Self { nodes, actions })
    }
}

/// A child instance.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Child)]
pub struct ChildEntry<'a> {
    /// Its key.
    pub instance: InstanceKey,
    /// Its process's id.
    pub process: &'a str,
    /// The parent's element that started it or asked a client to, in its wire form; `null` if it is
    /// no longer known.
    #[schema(required)]
    pub element: Option<String>,
    /// Its status.
    #[schema(value_type = Status)]
    pub status: &'a str,
}

/// The `result` of a command on an instance: its state after the same commit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StepResult<'a> {
    /// The instance.
    pub instance: InstanceKey,
    /// Its status.
    #[schema(value_type = Status)]
    pub status: &'a str,
    /// The outcome, once it has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a str>,
    /// Its active elements.
    #[schema(value_type = Vec<NodeEntry>)]
    pub nodes: &'a RawValue,
    /// Actions that the receiver may run.
    #[schema(value_type = Vec<ActionEntry>)]
    pub actions: &'a RawValue,
    /// How many more there are of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub more: Option<MoreEntries>,
    /// Paths of the sent data that no key covers.
    pub ignored: Vec<&'a str>,
    /// Children it waits for or has started.
    pub children: Vec<ChildEntry<'a>>,
    /// Token of an anonymous start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<&'a str>,
}

/// The `result` of a subscribe.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SubscribeResult<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Number that the channel is at.
    pub seq: u64,
    /// How the missed frames are sent.
    pub mode: SubscribeMode,
}

/// How the frames that a new subscription has missed are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubscribeMode {
    /// A snapshot replaces them.
    Snapshot,
    /// They are repeated.
    Replay,
}

/// The `result` of `auth`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthResult {
    /// When the new token ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub expires_at: Option<String>,
}

/// The `result` of `clock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClockResult {
    /// The process time from here on, RFC 3339.
    #[schema(format = DateTime)]
    pub now: String,
}

/// The `result` of a command without a result: `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NoResult {}
