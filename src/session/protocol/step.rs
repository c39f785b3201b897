//! The entries that describe a step: active elements, actions on offer, children. The same in
//! reply, progress and snapshot.
//!
//! Wire shapes only; `runtime` knows what they are made from.

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::channel::Channel;
use crate::{
    engine::record::Status,
    model::{action::Required, ids::InstanceKey},
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
    /// The element of the embedded subprocess it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Which iteration it is of an activity that runs more than once, from 1; its `scope` is the
    /// activity as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub loop_counter: Option<u32>,
    /// Whether the receiver may look only.
    pub read_only: bool,
    /// Who has claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignee: Option<&'a str>,
    /// When it is due, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// When it reminded of itself last, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<String>,
    /// Why it does not continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub incident: Option<IncidentEntry<'a>>,
}

/// Trouble at an element.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct IncidentEntry<'a> {
    /// Stable name of its kind.
    pub code: &'a str,
    /// What was expected, and what came; without that for those who may not read definitions.
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
    /// Paths that its data may hold.
    pub keys: Vec<&'a str>,
    /// Those of them that must be there.
    pub required_keys: Vec<&'a str>,
    /// Name of the JSON Schema of what it takes, as a `schemas` frame tells it; absent: it takes no
    /// data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub schema: Option<&'a str>,
    /// Id of the activity it starts, for one of an ad-hoc subprocess.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub activity: Option<&'a str>,
    /// What the data hold at its keys: what a form begins with. Absent: they hold nothing there, or too
    /// much to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub initial: Option<&'a Value>,
    /// The largest file it takes, in bytes, for `uploadFile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The media types it takes, such as `image/*`; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<&'a [String]>,
}

/// A child instance.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Child)]
pub struct ChildEntry<'a> {
    /// Its key.
    pub instance: InstanceKey,
    /// Its process's id.
    pub process: &'a str,
    /// The parent's element that started it or asked a client to, in its wire form; `null` when it
    /// is not known any more.
    #[schema(required)]
    pub element: Option<String>,
    /// Its status.
    #[schema(value_type = Status)]
    pub status: &'a str,
}

/// The `result` of a command on an instance: where it is after the same commit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StepResult<'a> {
    /// The instance.
    pub instance: InstanceKey,
    /// Its status.
    #[schema(value_type = Status)]
    pub status: &'a str,
    /// How it went, once it has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a str>,
    /// Its active elements.
    #[schema(value_type = Vec<NodeEntry>)]
    pub nodes: &'a RawValue,
    /// What the receiver may run.
    #[schema(value_type = Vec<ActionEntry>)]
    pub actions: &'a RawValue,
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
    /// Number the channel stood at.
    pub seq: u64,
    /// How the missed frames come.
    pub mode: SubscribeMode,
}

/// How the frames come that a new subscription has missed.
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

/// The `result` of a command that has nothing to tell: `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NoResult {}
