//! The journal: the durable order of all changes, and everything that is read back from it.
//!
//! [`Journal`] is the handle that the rest of the server uses. A caller reserves an
//! [`AppendPermit`], appends a [`Commit`] (one log row, with its snapshot, read-model changes and
//! outgoing messages) and passes a [`Release`] with it; the release runs once the row is durable,
//! in the order of appending. Lists, timers and single entities are read through [`Journal::read`].
//!
//! Not here: the content of a row's body ([`codec`]), which commands are accepted (`engine`), who
//! appends when (`runtime`). Where to go next: `writer.rs` for group commit, `store.rs` for what a
//! store has to do, `sqlite/` for the default store.

mod audit;
mod chain;
mod change;
pub mod codec;
mod commit_gate;
mod damaged;
mod definition;
pub mod directory;
pub mod disk_room;
mod draft;
mod filter;
mod handle;
mod history;
mod http_call;
mod in_use;
mod job;
mod kept_message;
mod listing;
mod log_part;
mod long_writes;
mod memory;
mod packed_source;
mod queue_permit;
pub mod read_models;
mod readers;
mod row;
mod schedule;
pub mod snapshot;
mod sqlite;
mod steps;
mod store;
mod user;
mod writer;

pub use audit::{AuditChange, AuditFilter, AuditReader, AuditRow};
pub use chain::{Chain, NotWritten, Written};
pub use change::{Commit, ReadModelChange, WriteOp};
pub use commit_gate::Release;
pub use damaged::{Damaged, StoredKind};
pub use definition::{DefinitionFormat, DefinitionRow, DefinitionState};
pub use draft::{DraftChange, DraftKey, DraftRow};
pub use filter::{Assignee, ElementCursor, ListedTimer, PlaceFilter, TaskFilter, TaskScope};
pub use handle::{AppendPermit, Journal, OnFatal, end_process};
pub use history::{
    AgedCorrelation, AgedCursor, AgedInstance, DroppedInstance, HistoryChange, HistoryReader,
    HistorySegment, HistorySize,
};
pub use http_call::{CallAttempts, CallChange, FullPlaces, HttpCallRow};
pub use in_use::{Counted, VersionInUse};
pub use job::{JobFilter, JobOrder, JobRow};
pub use kept_message::{KeptMessage, KeptMessageRow};
pub use listing::{
    IncidentRow, InstanceCursor, InstanceFilter, InstanceRow, Owner, SearchedRow, TaskAudience,
    TaskRow, TimerRow, TimerRowKey,
};
pub use log_part::{LogLimit, LogPart};
pub use memory::MemoryStore;
pub use packed_source::PackedSource;
pub use queue_permit::Busy;
pub use row::{
    Entity, EntityKind, Loaded, LogRow, OutboxMessage, OutboxRow, SnapshotRow, StoredRow,
};
pub use schedule::{ScheduleChange, ScheduleKey, ScheduleRow};
pub use sqlite::{
    CopiedDatabase, DATABASE, DiskUse, Examined, Facts, Orphan, SqliteStore, copy_database,
};
pub use steps::{Steps, UnfinishedWork};
pub use store::{Store, StoreError, StoreReader};
pub use user::UserRow;

#[cfg(test)]
mod tests;
