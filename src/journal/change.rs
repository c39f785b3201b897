//! What one write asks of the store: log rows, and the read models that go into the same
//! transaction.
//!
//! Read models are derived from records by anyone who appends them; the store only binds them to
//! statements. The texts in them (`status`, `action`, `code`, …) are the writer's words and opaque
//! here.

use std::sync::Arc;

use super::{
    audit::{AuditChange, AuditRow},
    definition::DefinitionRow,
    draft::DraftChange,
    history::HistoryChange,
    http_call::{CallChange, HttpCallRow},
    in_use::Counted,
    job::JobRow,
    kept_message::KeptMessage,
    listing::{IncidentRow, InstanceRow, Owner, SearchedRow, TaskRow, TimerRow, TimerRowKey},
    row::{Entity, LogRow, OutboxRow, SnapshotRow},
    schedule::ScheduleChange,
    user::UserRow,
};
use crate::model::ids::{ElementKey, InstanceKey};

/// One write, applied wholly or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WriteOp {
    /// Appends a row with all that belongs to it.
    Commit(Commit),
    /// Replaces an entity's snapshot without a new row, as at passivation.
    Snapshot(Entity, SnapshotRow),
    /// Inserts definitions by (tenant, id, version) or gives those that are there another state,
    /// and changes schedules. What a version holds never changes: a row with another content is a
    /// [`StoreError::Overwrite`](super::store::StoreError).
    Definitions(Vec<DefinitionRow>, Vec<ScheduleChange>),
    /// Inserts or replaces a user by (tenant, name).
    User(UserRow),
    /// Changes drafts of tasks, in order; removing one that is not there is fine.
    Drafts(Vec<DraftChange>),
    /// Changes a call to the outside by its instance and seq.
    HttpCall(InstanceKey, u64, CallChange),
    /// Changes the audit log.
    Audit(AuditChange),
    /// A change with the rows of the audit log that report it: neither is there without the other.
    Audited(Box<WriteOp>, Vec<AuditRow>),
    /// Packs or removes what is old.
    History(HistoryChange),
    /// Deletes a message of the outbox by its source and seq; one already gone is fine.
    OutboxDelivered(Entity, u64),
}

impl WriteOp {
    /// With what the audit log reports it, if anything.
    pub fn audited(self, rows: Vec<AuditRow>) -> Self {
        match rows.is_empty() {
            true => self,
            false => Self::Audited(Box::new(self), rows),
        }
    }

    /// Itself, without what the audit log reports it.
    pub fn bare(&self) -> &Self {
        match self {
            Self::Audited(op, _) => op.bare(),
            op => op,
        }
    }
}

/// One log row and everything that must become durable with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// The row to append.
    pub row: LogRow,
    /// The entity's state after this row, when a snapshot is due.
    pub snapshot: Option<SnapshotRow>,
    /// What changes in the read models, in order.
    pub changes: Arc<Vec<ReadModelChange>>,
    /// Messages this row sends; their source is the row's entity.
    pub outbox: Vec<OutboxRow>,
    /// The message it keeps for those who do not wait for it yet.
    pub kept: Option<KeptMessage>,
}

impl Commit {
    /// A commit of nothing but a row.
    pub fn of(row: LogRow) -> Self {
        Self {
            row,
            snapshot: None,
            changes: Arc::default(),
            outbox: Vec::new(),
            kept: None,
        }
    }
}

/// A change to the tables that lists and timers are read from. Opening twice replaces; closing what
/// is not there is fine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadModelChange {
    /// Inserts the instance, or updates what may change in it: see [`InstanceRow`]; and what it was
    /// counted as before, unless it is new.
    Instance(InstanceRow, Option<Counted>),
    /// Inserts a job, or updates what may change in it: see [`JobRow`].
    Job(JobRow),
    /// An instance is found by another value at this path.
    SearchedSet(SearchedRow),
    /// An instance is found by no value at this path any more.
    SearchedCleared(InstanceKey, String),
    /// A user task waits, has another assignee, or reminds.
    TaskOpened(TaskRow),
    /// A user task ended.
    TaskClosed(InstanceKey, ElementKey),
    /// A timer is armed.
    TimerSet(TimerRow, Owner),
    /// A timer fired or was cancelled.
    TimerCleared(TimerRowKey),
    /// A call to the outside is to be made.
    CallPlaced(Box<HttpCallRow>),
    /// A call was answered, or nobody waits for it any more.
    CallForgotten(InstanceKey, u64),
    /// An element is stuck until somebody helps.
    IncidentRaised(IncidentRow),
    /// An incident is gone.
    IncidentResolved(InstanceKey, ElementKey),
}
