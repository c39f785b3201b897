//! The frames of lists: snapshots and changes of `tasks` and `process/ID`. Numbered within one
//! subscription.
//!
//! Not here: when they are sent (`session::subscription::lists`).

use serde::Serialize;
use utoipa::ToSchema;

use super::{channel::Channel, server::ServerFrame};
use crate::{
    engine::record::Status,
    journal::{InstanceRow, TaskRow},
    model::ids::InstanceKey,
    runtime::lists::Topic,
};

/// A waiting user task.
#[derive(Serialize, ToSchema)]
#[schema(as = Task)]
#[serde(rename_all = "camelCase")]
pub struct TaskEntry<'a> {
    /// The instance it waits in.
    pub instance: InstanceKey,
    /// Element key in its wire form, for `claim` and `run`.
    pub element: String,
    /// The process's id.
    pub process: &'a str,
    /// The client's own name for the instance.
    #[schema(required)]
    pub business_key: Option<&'a str>,
    /// Node id.
    pub node: &'a str,
    /// Node name.
    pub name: &'a str,
    /// Id of its lane.
    #[schema(required)]
    pub lane: Option<&'a str>,
    /// The assignee.
    #[schema(required)]
    pub assignee: Option<&'a str>,
    /// Roles that may claim it; empty if the owners of the instance may.
    pub candidates: &'a [String],
    /// When it was activated, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it is due, RFC 3339.
    #[schema(required, format = DateTime)]
    pub due_at: Option<String>,
    /// When it last sent a reminder, RFC 3339.
    #[schema(required, format = DateTime)]
    pub reminded_at: Option<String>,
    /// The number of the iteration, from 1, of a user task that runs more than once.
    #[schema(required)]
    pub loop_counter: Option<u32>,
}

impl<'a> From<&'a TaskRow> for TaskEntry<'a> {
    fn from(row: &'a TaskRow) -> Self {
        Self {
            instance: row.instance,
            element: row.element.wire(row.instance),
            process: &row.process,
            business_key: row.business_key.as_deref(),
            node: &row.node,
            name: &row.name,
            lane: row.lane.as_deref(),
            assignee: row.assignee.as_deref(),
            candidates: row.candidates.as_deref().unwrap_or_default(),
            created_at: row.created_at.to_string(),
            due_at: row.due_at.map(|time| time.to_string()),
            reminded_at: row.reminded_at.map(|time| time.to_string()),
            loop_counter: row.loop_counter,
        }
    }
}

/// A user's open tasks, newest first.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "snapshot")]
pub struct TasksSnapshot<'a> {
    /// `tasks`.
    pub channel: &'a Channel,
    /// Always 0: changes are numbered from here.
    pub seq: u64,
    /// The tasks.
    pub tasks: &'a [TaskEntry<'a>],
    /// Whether there are more than the listed ones.
    pub more: bool,
}

/// The changes in a user's open tasks.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "tasks")]
pub struct TasksFrame<'a> {
    /// `tasks`.
    pub channel: &'a Channel,
    /// Its number.
    pub seq: u64,
    /// The number before.
    pub prev: u64,
    /// New and changed tasks.
    pub set: &'a [TaskEntry<'a>],
    /// Elements whose tasks are completed or no longer in the receiver's list.
    pub removed: &'a [String],
}

/// An instance in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceEntry<'a> {
    /// Its key.
    pub instance: InstanceKey,
    /// The process's id.
    pub process: &'a str,
    /// Its status.
    #[schema(value_type = Status)]
    pub status: &'a str,
    /// The client's own name for the instance.
    #[schema(required)]
    pub business_key: Option<&'a str>,
    /// Subject that started it.
    pub started_by: &'a str,
    /// When it was created, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ended, RFC 3339.
    #[schema(required, format = DateTime)]
    pub ended_at: Option<String>,
    /// Elements that are stuck because of an incident.
    pub incidents: u32,
}

impl<'a> From<&'a InstanceRow> for InstanceEntry<'a> {
    fn from(row: &'a InstanceRow) -> Self {
        Self {
            instance: row.key,
            process: &row.process,
            status: &row.status,
            business_key: row.business_key.as_deref(),
            started_by: &row.started_by,
            created_at: row.created_at.to_string(),
            ended_at: row.ended_at.map(|time| time.to_string()),
            incidents: row.incidents,
        }
    }
}

/// The newest instances of a process.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "snapshot")]
pub struct InstancesSnapshot<'a> {
    /// `process/ID`.
    pub channel: &'a Channel,
    /// Always 0: changes are numbered from here.
    pub seq: u64,
    /// The instances, newest first.
    pub instances: &'a [InstanceEntry<'a>],
    /// Whether there are more than the listed ones.
    pub more: bool,
}

/// An instance of a process that is new or has changed.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "instance")]
pub struct InstanceFrame<'a> {
    /// `process/ID`.
    pub channel: &'a Channel,
    /// Its number.
    pub seq: u64,
    /// The number before.
    pub prev: u64,
    /// The instance.
    #[serde(flatten)]
    pub entry: InstanceEntry<'a>,
}

/// Changes are reported from here on.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "snapshot")]
pub struct ChangesSnapshot<'a> {
    /// `changes`.
    pub channel: &'a Channel,
    /// Always 0.
    pub seq: u64,
}

/// Lists have changed; nothing more is reported before another `subscribe`.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename = "changes")]
pub struct ChangesFrame<'a> {
    /// `changes`.
    pub channel: &'a Channel,
    /// Always 1.
    pub seq: u64,
    /// Always 0.
    pub prev: u64,
    /// The lists that have changed.
    pub topics: &'a [Topic],
}

impl ServerFrame for ChangesSnapshot<'_> {}
impl ServerFrame for ChangesFrame<'_> {}
impl ServerFrame for TasksSnapshot<'_> {}
impl ServerFrame for TasksFrame<'_> {}
impl ServerFrame for InstancesSnapshot<'_> {}
impl ServerFrame for InstanceFrame<'_> {}
