//! The parts of a history: visits of nodes with their decisions, and corrections of the data.
//!
//! How it is built from records: the module above.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::ids::InstanceKey;

/// A correction of the data.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct PatchedData<'a> {
    pub(super) seq: u64,
    pub(super) by: Option<&'a str>,
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// The element whose variables were corrected; absent for the data of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) scope: Option<String>,
    /// The merged data; for operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) data: Option<&'a Value>,
}

/// One visit of a node.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Visit<'a> {
    pub(super) element: String,
    pub(super) node: &'a str,
    pub(super) name: &'a str,
    /// BPMN element name, such as `userTask`.
    pub(super) r#type: &'a str,
    pub(super) kind: VisitKind,
    /// The element that contains it: that of the embedded subprocess or event subprocess, or of the
    /// loop whose iteration it is; absent in the process itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) scope: Option<String>,
    /// The number of the iteration, from 1, of an activity that runs more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) loop_counter: Option<u32>,
    /// For a boundary event: the node of its activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) attached_to: Option<&'a str>,
    /// `Activated`, `Completed` or `Terminated`.
    #[schema(pattern = "^(Activated|Completed|Terminated)$")]
    pub(super) lifecycle: &'static str,
    #[schema(format = DateTime)]
    pub(super) activated_at: String,
    #[schema(required, format = DateTime)]
    pub(super) ended_at: Option<String>,
    /// For a loop that has begun: how often it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) r#loop: Option<LoopEntry>,
    /// The events that occurred: its own, those at its boundary, and those that began an event
    /// subprocess in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<TriggeredEvent<'a>>,
    /// The instances it called or started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) children: Vec<CalledInstance<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) decisions: Vec<DecisionEntry<'a>>,
    /// The variables it owns, after the rows that were read; for operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) variables: Option<Value>,
}

/// The kind of a visited node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum VisitKind {
    /// A start, end or intermediate event.
    Event,
    /// A boundary event that was triggered.
    BoundaryEvent,
    /// A task.
    Task,
    /// A gateway.
    Gateway,
    /// An embedded subprocess or transaction.
    SubProcess,
    /// An event subprocess that has begun.
    EventSubProcess,
    /// A call activity.
    CallActivity,
    /// An activity that runs more than once, as a whole; its iterations have it as `scope`.
    Loop,
}

/// How often an activity runs.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct LoopEntry {
    /// Iterations of a multi-instance activity; null for a standard loop.
    #[schema(required)]
    pub(super) instances: Option<u32>,
    /// Whether each iteration begins when the previous one has ended.
    pub(super) sequential: bool,
}

/// An event that occurred.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct TriggeredEvent<'a> {
    /// The node of the event.
    pub(super) node: &'a str,
    #[schema(format = DateTime)]
    pub(super) at: String,
}

/// An instance that an element called or started.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct CalledInstance<'a> {
    pub(super) instance: InstanceKey,
    pub(super) process: &'a str,
    /// How it ended, if the rows that were read say so.
    #[schema(required)]
    pub(super) status: Option<&'static str>,
}

/// A decision in an approval.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct DecisionEntry<'a> {
    #[schema(examples("approved", "rejected"))]
    pub(super) decision: &'static str,
    pub(super) by: Option<&'a str>,
    #[schema(format = DateTime)]
    pub(super) at: String,
    pub(super) comment: Option<&'a str>,
}
