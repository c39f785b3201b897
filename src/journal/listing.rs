//! The rows of the read models (instances, waiting user tasks, armed timers and open incidents),
//! and the queries for lists of them.
//!
//! They repeat what the log says, for queries over many instances; the log stays authoritative. Not
//! here: how they change ([`ReadModelChange`](super::change::ReadModelChange)).

use uuid::Uuid;

use crate::{
    engine::command::TimerKind,
    model::ids::{ElementKey, InstanceKey, Time},
};

/// One process instance, for lists. `version`, `revision`, `status`, `outcome`, `business_key`,
/// `ended_at`, `incidents`, `open_until` and `descendants_ended` may change after the first write;
/// the other columns do not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceRow {
    /// Its key.
    pub key: InstanceKey,
    /// Its tenant.
    pub tenant: String,
    /// The id of its definition.
    pub process: String,
    /// The version of its definition.
    pub version: u32,
    /// The content hash of its definition.
    pub revision: String,
    /// Its status.
    pub status: String,
    /// The outcome of its end beyond its status.
    pub outcome: Option<String>,
    /// The caller's own name for it.
    pub business_key: Option<String>,
    /// The subject that started it.
    pub started_by: String,
    /// The instance that called it.
    pub parent: Option<InstanceKey>,
    /// The root of its call tree; its own key if it has no parent.
    pub root: InstanceKey,
    /// When it started.
    pub created_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// The number of its open incidents.
    pub incidents: u32,
    /// Until when a finished instance has open Action messages; `None` if it has none.
    pub open_until: Option<Time>,
    /// Whether it was terminated after it had finished.
    pub descendants_ended: bool,
    /// The origin of the stranger who started it (a keyed hash), as long as it is live.
    pub origin: Option<Uuid>,
}

/// The search value of an instance at one path of its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchedRow {
    /// The instance.
    pub instance: InstanceKey,
    /// The path, as its process declares it.
    pub path: String,
    /// Its tenant.
    pub tenant: String,
    /// The value as text.
    pub value: String,
    /// When the instance started: lists have this order.
    pub created_at: Time,
}

/// One waiting user task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskRow {
    /// The instance it waits in.
    pub instance: InstanceKey,
    /// The element instance that waits.
    pub element: ElementKey,
    /// Its tenant.
    pub tenant: String,
    /// The id of the definition.
    pub process: String,
    /// The instance's business key, which the stores keep with the instance.
    pub business_key: Option<String>,
    /// The id of the node.
    pub node: String,
    /// The name of the node.
    pub name: String,
    /// The lane the node is in.
    pub lane: Option<String>,
    /// Its assignee.
    pub assignee: Option<String>,
    /// Roles that may claim it; `None`: the owner of the instance.
    pub candidates: Option<Vec<String>>,
    /// The subject that started the instance.
    pub started_by: String,
    /// The subject that started the root of its call tree.
    pub root_started_by: String,
    /// When it was activated.
    pub created_at: Time,
    /// When it is due, if it has a due date.
    pub due_at: Option<Time>,
    /// When it last sent a reminder.
    pub reminded_at: Option<Time>,
    /// The number of the iteration, from 1, of a user task that runs more than once.
    pub loop_counter: Option<u32>,
}

/// The user of a list of tasks: it contains the tasks assigned to the user, and unassigned ones
/// that the user may claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskAudience {
    /// The tenant.
    pub tenant: String,
    /// The user.
    pub subject: String,
    /// Roles the user has.
    pub roles: Vec<String>,
}

impl TaskAudience {
    /// Whether a task belongs in the list.
    pub fn includes(&self, task: &TaskRow) -> bool {
        task.tenant == self.tenant
            && match (&task.assignee, &task.candidates) {
                (Some(assignee), _) => *assignee == self.subject,
                (None, Some(roles)) => self.has_any(roles),
                (None, None) => {
                    task.started_by == self.subject || task.root_started_by == self.subject
                }
            }
    }

    /// Whether the user has one of these roles.
    pub fn has_any(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// The owner of some work: definitions, and tenants, take turns.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owner {
    /// The tenant.
    pub tenant: String,
    /// Id of the process definition.
    pub process: String,
}

/// The identity of a timer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimerRowKey {
    /// The instance it belongs to.
    pub instance: InstanceKey,
    /// The element instance that armed it; `None` for the instance itself.
    pub element: Option<ElementKey>,
    /// Its purpose.
    pub kind: TimerKind,
    /// Its number among those of its kind, from 1.
    pub occurrence: u32,
}

/// One armed timer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimerRow {
    /// When it fires; never earlier.
    pub due: Time,
    /// Its identity.
    pub key: TimerRowKey,
}

/// One open incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentRow {
    /// The instance it is in.
    pub instance: InstanceKey,
    /// The element instance that is stuck.
    pub element: ElementKey,
    /// Its tenant.
    pub tenant: String,
    /// The id of the definition.
    pub process: String,
    /// The id of the node.
    pub node: String,
    /// The error as a code for programs.
    pub code: String,
    /// The error as a sentence for people.
    pub message: String,
    /// When it was raised.
    pub raised_at: Time,
}

/// Which instances a list shows: those that match every field that is set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InstanceFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this definition id.
    pub process: Option<String>,
    /// Of this version of it.
    pub version: Option<u32>,
    /// With one of these statuses; if empty, with any.
    pub statuses: Vec<String>,
    /// With exactly this business key.
    pub business_key: Option<String>,
    /// Called by this instance.
    pub parent: Option<InstanceKey>,
    /// Started by this subject.
    pub started_by: Option<String>,
    /// With a user task waiting at this node.
    pub node: Option<String>,
    /// Below this root, which itself is not listed.
    pub root: Option<InstanceKey>,
    /// Started after this time.
    pub created_after: Option<Time>,
    /// Started before this time.
    pub created_before: Option<Time>,
    /// With each of these search values: path and text.
    pub searched: Vec<(String, String)>,
    /// Live, and started by a stranger of this origin.
    pub origin: Option<Uuid>,
}

/// Where a list of instances continues: after the row with these values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct InstanceCursor {
    /// `created_at` of the last row seen.
    pub created_at: Time,
    /// Its key.
    pub key: InstanceKey,
}

impl InstanceRow {
    /// The cursor that continues after this row.
    pub fn cursor(&self) -> InstanceCursor {
        InstanceCursor {
            created_at: self.created_at,
            key: self.key,
        }
    }
}

impl InstanceFilter {
    /// Whether a row matches every field that is set, except `node` and `searched`, which are not
    /// columns of a row.
    pub fn accepts(&self, row: &InstanceRow) -> bool {
        fn agrees<T: PartialEq>(wanted: &Option<T>, found: &T) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        }
        agrees(&self.tenant, &row.tenant)
            && agrees(&self.process, &row.process)
            && agrees(&self.version, &row.version)
            && (self.statuses.is_empty() || self.statuses.contains(&row.status))
            && self.created_after.is_none_or(|time| row.created_at > time)
            && self.created_before.is_none_or(|time| row.created_at < time)
            && agrees(&self.started_by, &row.started_by)
            && (self.business_key.is_none() || self.business_key == row.business_key)
            && (self.origin.is_none() || self.origin == row.origin)
            && (self.parent.is_none() || self.parent == row.parent)
            && (self.root.is_none() || (self.root == Some(row.root) && row.parent.is_some()))
    }
}
