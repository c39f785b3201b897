//! What a store has to do: one writer that applies batches atomically and durably, and readers that
//! see what was committed.
//!
//! Implementations: [`memory`](super::memory) and [`sqlite`](super::sqlite). The calls come from
//! [`writer`](super::writer).

use std::{error::Error, fmt, path::PathBuf};

use uuid::Uuid;

use super::{
    audit::AuditReader,
    change::WriteOp,
    damaged::Damaged,
    definition::DefinitionRow,
    draft::DraftRow,
    filter::{ElementCursor, ListedTimer, PlaceFilter, TaskFilter, TaskScope},
    history::HistoryReader,
    http_call::{FullPlaces, HttpCallRow},
    in_use::VersionInUse,
    job::{JobFilter, JobOrder, JobRow},
    kept_message::KeptMessageRow,
    listing::{
        IncidentRow, InstanceCursor, InstanceFilter, InstanceRow, Owner, TaskAudience, TaskRow,
        TimerRow,
    },
    log_part::{LogLimit, LogPart},
    row::{Entity, Loaded, OutboxMessage, StoredRow},
    schedule::ScheduleRow,
    user::UserRow,
};
use crate::model::ids::{ElementKey, InstanceKey, Time};

/// The write side. There is one per store, owned by the writer thread.
pub trait Store: Send {
    /// Applies the operations in order as one transaction. After `Ok` all of them survive a power
    /// failure. After [`StoreError::NoRoom`] none of them is in the store, which can still be used.
    /// After any other error it is not known which of them are, and nothing may be written any
    /// more: a failed sync is never repeated.
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError>;

    /// Writes without changing anything, as a test of whether a commit would find room.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] while there is none; other errors say nothing about the stored data.
    fn probe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// No write is expected for a while: releases the memory that only writing needs.
    fn rest(&mut self) {}

    /// Opens another reader, for use on any thread.
    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError>;
}

/// The read side. Each call sees everything that was committed before it began. Limits count rows.
/// Damaged rows of the log are an error; those of other tables are left out and recorded.
pub trait StoreReader: HistoryReader + AuditReader + Send {
    /// The newest snapshot of an entity and the rows after it, read at one point in time.
    fn load(&self, entity: Entity) -> Result<Loaded, StoreError>;
    /// Whether the log has rows of the entity.
    fn exists(&self, entity: Entity) -> Result<bool, StoreError>;
    /// Keys of instances in the log after `after`, in order.
    fn instance_keys(
        &self,
        after: InstanceKey,
        limit: usize,
    ) -> Result<Vec<InstanceKey>, StoreError>;
    /// The rows with records after `after_seq`, in order, up to a limit. The first row may also
    /// contain earlier records, because rows are never split.
    fn log_part(
        &self,
        entity: Entity,
        after_seq: u64,
        limit: LogLimit,
    ) -> Result<LogPart, StoreError>;
    /// The same, limited by the number of rows only.
    fn rows(
        &self,
        entity: Entity,
        after_seq: u64,
        rows: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let bytes = usize::MAX;
        let part = self.log_part(entity, after_seq, LogLimit { rows, bytes })?;
        Ok(part.rows)
    }

    /// Instances of a tenant, a tree or an origin, newest first.
    fn instances(
        &self,
        filter: &InstanceFilter,
        after: Option<InstanceCursor>,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError>;
    /// Live instances of all tenants, by their keys.
    fn live_instances(
        &self,
        after: InstanceKey,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError>;
    /// The number of instances that match the filter, counted up to `maximum`.
    fn count(&self, filter: &InstanceFilter, maximum: usize) -> Result<u64, StoreError>;
    /// The number of instances that a tenant has started since the beginning of this minute, within
    /// the last day.
    fn started_since(&self, tenant: &str, since: Time) -> Result<u64, StoreError>;
    /// The user tasks that wait in an instance, newest first.
    fn tasks_of(&self, instance: InstanceKey) -> Result<Vec<TaskRow>, StoreError>;
    /// One instance.
    fn instance(&self, key: InstanceKey) -> Result<Option<InstanceRow>, StoreError>;
    /// The instances called by `parent`, newest first.
    fn children(&self, parent: InstanceKey) -> Result<Vec<InstanceRow>, StoreError> {
        self.instances(
            &InstanceFilter {
                parent: Some(parent),
                ..InstanceFilter::default()
            },
            None,
            usize::MAX,
        )
    }
    /// The live instances of the tree of `root` without `root` itself, each with its parent.
    fn live_below(&self, root: InstanceKey) -> Result<Vec<(InstanceKey, InstanceKey)>, StoreError>;
    /// The instances of the tree of `root` without `root` itself that have finished and left Action
    /// messages open, each with its parent.
    fn open_below(&self, root: InstanceKey) -> Result<Vec<(InstanceKey, InstanceKey)>, StoreError>;
    /// The process time of the log's last row; `None` for an empty log.
    fn newest_time(&self) -> Result<Option<Time>, StoreError>;

    /// Jobs that match the filter, in this order, without the first `offset`.
    fn jobs(
        &self,
        filter: &JobFilter,
        order: JobOrder,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError>;
    /// The number of jobs that match the filter.
    fn count_jobs(&self, filter: &JobFilter) -> Result<u64, StoreError>;
    /// One job.
    fn job(&self, key: InstanceKey) -> Result<Option<JobRow>, StoreError>;
    /// The jobs of a process that were started last, newest first; with `started_by` only those of
    /// this subject.
    fn newest_jobs(
        &self,
        tenant: &str,
        process: &str,
        started_by: Option<&str>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError>;

    /// The newest waiting user tasks in a user's list.
    fn tasks_for(&self, audience: &TaskAudience, limit: usize) -> Result<Vec<TaskRow>, StoreError> {
        self.task_list(
            &TaskFilter::all_of(TaskScope::Of(audience.clone())),
            None,
            limit,
        )
    }
    /// Waiting user tasks that match the filter, newest first; `after` is the last one seen.
    fn task_list(
        &self,
        filter: &TaskFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError>;
    /// Waiting user tasks by descending (instance, element), so about newest first; `after` is the
    /// last one seen.
    fn tasks(
        &self,
        after: Option<(InstanceKey, ElementKey)>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError>;
    /// Open incidents of a tenant, newest first; `after` is the last one seen.
    fn incidents(
        &self,
        filter: &PlaceFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<IncidentRow>, StoreError>;
    /// Armed timers of a tenant, the next one first; timers due together are in the order of
    /// their keys. `after` is the last one seen.
    fn timers(
        &self,
        filter: &PlaceFilter,
        after: Option<&TimerRow>,
        limit: usize,
    ) -> Result<Vec<ListedTimer>, StoreError>;
    /// Timers of one owner that are due at or before `until`, by due time; timers due together are
    /// in the order of their keys.
    fn due_timers(
        &self,
        owner: &Owner,
        until: Time,
        limit: usize,
    ) -> Result<Vec<TimerRow>, StoreError>;
    /// The owners of timers.
    fn timer_owners(&self) -> Result<Vec<Owner>, StoreError>;
    /// When the first timer is due.
    fn next_due(&self) -> Result<Option<Time>, StoreError>;

    /// HTTP calls due at or before `until`, by due time, without those that find no place.
    fn due_calls(
        &self,
        until: Time,
        full: &FullPlaces,
        limit: usize,
    ) -> Result<Vec<HttpCallRow>, StoreError>;
    /// When the first HTTP call after that time is due.
    fn next_call(&self, after: Time) -> Result<Option<Time>, StoreError>;
    /// HTTP calls of a tenant, including those given up, by descending (instance, seq), so
    /// approximately newest first; `after` is the last one seen.
    fn http_calls(
        &self,
        tenant: &str,
        after: Option<(InstanceKey, u64)>,
        limit: usize,
    ) -> Result<Vec<HttpCallRow>, StoreError>;

    /// Every undelivered message, by (source, seq).
    fn outbox(&self) -> Result<Vec<OutboxMessage>, StoreError>;
    /// Passes every definition with its source to `seen`, by (tenant, id, version), one after the
    /// other, because all together may be larger than memory.
    fn each_definition(&self, seen: &mut dyn FnMut(DefinitionRow)) -> Result<(), StoreError>;
    /// Every definition with its source, by (tenant, id, version).
    fn definitions(&self) -> Result<Vec<DefinitionRow>, StoreError> {
        let mut all = Vec::new();
        self.each_definition(&mut |row| all.push(row))?;
        Ok(all)
    }
    /// One definition with its source.
    fn definition(
        &self,
        tenant: &str,
        id: &str,
        version: u32,
    ) -> Result<Option<DefinitionRow>, StoreError>;
    /// The highest version of each definition by tenant and id, including damaged ones, whose
    /// numbers must not be used again.
    fn definition_numbers(&self) -> Result<Vec<(String, String, u32)>, StoreError> {
        let rows = self.definitions()?.into_iter();
        Ok(rows.map(|row| (row.tenant, row.id, row.version)).collect())
    }
    /// The versions of definitions that live instances of a tenant, or of all tenants, run, in
    /// order.
    fn versions_in_use(&self, tenant: Option<&str>) -> Result<Vec<VersionInUse>, StoreError>;
    /// Every schedule, by (tenant, process, node).
    fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError>;
    /// Every user, including removed ones, by (tenant, name). A damaged one has no password, and
    /// all its tokens are revoked.
    fn users(&self) -> Result<Vec<UserRow>, StoreError>;
    /// Every draft of a task, by its key.
    fn drafts(&self) -> Result<Vec<DraftRow>, StoreError>;
    /// Every message kept until an element waits for it, the first to expire first; may include
    /// expired ones.
    fn kept_messages(&self) -> Result<Vec<KeptMessageRow>, StoreError>;
    /// The rows that were left out so far because they cannot be read.
    fn damaged(&self) -> Damaged {
        Damaged::default()
    }
    /// The identity of this log: kept over restarts, new after a restore. Offsets of another
    /// incarnation have no meaning.
    fn log_incarnation(&self) -> Result<Uuid, StoreError>;
}

/// Why an operation of a store failed.
#[derive(Debug)]
pub enum StoreError {
    /// Another process holds the data directory.
    InUse(PathBuf),
    /// A log row with this entity and first seq exists: two servers write to the log, or the engine
    /// has a fault.
    Conflict(Entity, u64),
    /// A definition with this id and version exists, with other content: the server's memory
    /// differs from its store.
    Overwrite(String, u32),
    /// The definition of an instance is missing; the text names it.
    NoDefinition(String),
    /// The database exists, but may only be read.
    ReadOnly(PathBuf),
    /// Something stored cannot be read, or was written by a newer version.
    Unreadable(String),
    /// The disk is full; nothing was changed. The text names the operation.
    NoRoom(&'static str),
    /// The disk or the database library failed; the text names the operation.
    Failed(&'static str, Box<dyn Error + Send + Sync>),
    /// Code that used the store panicked.
    Panicked,
    /// The store takes no questions any more, because the server is stopping.
    Stopped,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(dir) => write!(
                f,
                "expected to be the only server on its data directory, but another server \
                already uses {}: stop it, or name another directory",
                dir.display()
            ),
            Self::Conflict(entity, seq) => {
                write!(
                    f,
                    "expected a new log row, but {:?} {} already has a row that starts at seq {seq}",
                    entity.kind, entity.key
                )
            }
            Self::Overwrite(id, version) => write!(
                f,
                "expected a new version of definition '{id}', but version {version} already exists \
                with other content: it is not changed"
            ),
            Self::NoDefinition(which) => write!(
                f,
                "expected the definition that it was started with, {which}, but no stored version \
                that this server can run has this content: deploy that source again"
            ),
            Self::ReadOnly(file) => write!(
                f,
                "expected to write to {}, but it is read-only: make it and its directory writable \
                for the user that runs the server, or mount the disk writable",
                file.display()
            ),
            Self::Unreadable(what) => write!(f, "expected readable stored rows, but {what}"),
            Self::NoRoom(what) => write!(
                f,
                "expected to {what}, but the disk is full: free space on it"
            ),
            Self::Failed(what, cause) => {
                write!(f, "expected to {what}, but the store failed: {cause}")
            }
            Self::Panicked => {
                f.write_str("expected an answer of the store, but the code using it panicked")
            }
            Self::Stopped => {
                f.write_str("expected an answer of the store, but the server is stopping")
            }
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(_, cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}
