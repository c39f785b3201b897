//! The content of one write to the store: log rows, and the read models that are changed in the
//! same transaction.
//!
//! Callers that append records derive the read models from them; the store only binds them to
//! statements. Their texts (`status`, `action`, `code`, …) have no meaning here.

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

/// The bytes that each changed row of a table counts, beside its own bytes.
pub(super) const CHANGE: usize = 1024;

/// One write, applied completely or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WriteOp {
    /// Appends a row with everything that belongs to it.
    Commit(Commit),
    /// Replaces an entity's snapshot without a new row, for example when it leaves memory.
    Snapshot(Entity, SnapshotRow),
    /// Inserts definitions by (tenant, id, version), or changes the state of existing ones, and
    /// changes schedules. The content of a version never changes: a row with other content is a
    /// [`StoreError::Overwrite`](super::store::StoreError).
    Definitions(Vec<DefinitionRow>, Vec<ScheduleChange>),
    /// Inserts or replaces a user by (tenant, name).
    User(UserRow),
    /// Changes drafts of tasks, in order; removing one that does not exist is no error.
    Drafts(Vec<DraftChange>),
    /// Changes an HTTP call by its instance and seq.
    HttpCall(InstanceKey, u64, CallChange),
    /// Changes the audit log.
    Audit(AuditChange),
    /// A change with its rows of the audit log: both are written, or none.
    Audited(Box<WriteOp>, Vec<AuditRow>),
    /// Compresses or deletes old rows.
    History(HistoryChange),
    /// Deletes a message of the outbox by its source and seq; one that does not exist is no error.
    OutboxDelivered(Entity, u64),
}

impl WriteOp {
    /// The write with these rows of the audit log, if there are any.
    pub fn audited(self, rows: Vec<AuditRow>) -> Self {
        match rows.is_empty() {
            true => self,
            false => Self::Audited(Box::new(self), rows),
        }
    }

    /// The write without rows of the audit log.
    pub fn bare(&self) -> &Self {
        match self {
            Self::Audited(op, _) => op.bare(),
            op => op,
        }
    }
}

/// One log row and everything that has to become durable with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// The row to append.
    pub row: LogRow,
    /// The entity's state after this row, when a snapshot is due.
    pub snapshot: Option<SnapshotRow>,
    /// The changes of the read models, in order.
    pub changes: Arc<Vec<ReadModelChange>>,
    /// Messages this row sends; their source is the row's entity.
    pub outbox: Vec<OutboxRow>,
    /// The message that it keeps for elements that do not wait yet.
    pub kept: Option<KeptMessage>,
}

impl Commit {
    /// A commit of only a row.
    pub fn of(row: LogRow) -> Self {
        Self {
            row,
            snapshot: None,
            changes: Arc::default(),
            outbox: Vec::new(),
            kept: None,
        }
    }

    /// The estimated size of the write in bytes.
    pub fn bytes(&self) -> usize {
        let snapshot = self.snapshot.as_ref();
        let outbox = self.outbox.iter();
        let rows = self.changes.len() + self.outbox.len();
        self.row.body.len()
            + snapshot.map_or(0, |snapshot| snapshot.body.len())
            + outbox.map(|message| message.body.len()).sum::<usize>()
            + rows * CHANGE
    }
}

/// A change to the tables that lists and timers are read from. Opening something twice replaces it;
/// closing something that does not exist is no error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadModelChange {
    /// Inserts the instance, or updates its changeable columns: see [`InstanceRow`]. Also contains
    /// how it was counted before, unless it is new.
    Instance(InstanceRow, Option<Counted>),
    /// Inserts a job, or updates its changeable columns: see [`JobRow`].
    Job(JobRow),
    /// The search value of an instance at this path has changed.
    SearchedSet(SearchedRow),
    /// An instance has no search value at this path any more.
    SearchedCleared(InstanceKey, String),
    /// A user task waits, has another assignee, or has sent a reminder.
    TaskOpened(TaskRow),
    /// A user task ended.
    TaskClosed(InstanceKey, ElementKey),
    /// A timer is armed.
    TimerSet(TimerRow, Owner),
    /// A timer fired or was cancelled.
    TimerCleared(TimerRowKey),
    /// An HTTP call is to be made.
    CallPlaced(Box<HttpCallRow>),
    /// A call was answered, or is no longer needed.
    CallForgotten(InstanceKey, u64),
    /// An element is stuck until somebody intervenes.
    IncidentRaised(IncidentRow),
    /// An incident is resolved.
    IncidentResolved(InstanceKey, ElementKey),
}
