//! Adds rows to the audit log: acts of administrators, operators and designers.
//!
//! An act that changes the store is written in one transaction with its audit row: an operator's
//! command with its row of the log, an administrator's act with the change of the table
//! ([`while_doing`]). An act that changes nothing there (a token is issued, a connection closed)
//! gets a row of its own afterwards, which waits while the writer's queue is full.
//!
//! Not here: how rows are kept (`journal::audit`), the lines of the program's log (`logging`).

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value};

use super::clock::real_now;
use crate::{
    journal::{AuditChange, AuditRow, Journal, NotWritten, WriteOp, Written},
    limits,
    logging::LogField,
};

/// Rows written at once.
const WRITTEN: usize = 256;

/// An act to be recorded, before it has a number and a time.
pub struct AuditNote<'a> {
    /// The tenant of the subject.
    pub tenant: &'a str,
    /// Who did it.
    pub subject: &'a str,
    /// The address of the request.
    pub address: Option<IpAddr>,
    /// The name of the act.
    pub act: &'a str,
    /// The objects and values of the act.
    pub details: &'a [(&'static str, LogField)],
}

impl AuditNote<'_> {
    /// The row, with the current time.
    pub fn row(&self) -> AuditRow {
        let member =
            |(name, field): &(&'static str, LogField)| ((*name).to_owned(), field.to_json());
        let details: Map<String, Value> = self.details.iter().map(member).collect();
        AuditRow {
            id: 0,
            at: real_now(),
            tenant: self.tenant.to_owned(),
            subject: self.subject.to_owned(),
            address: self.address.map(|address| address.to_string()),
            act: self.act.to_owned(),
            details: Value::Object(details).to_string(),
        }
    }
}

/// An audit row that waits for the change it belongs to; taken when that change is handed to the
/// writer.
pub type PendingRow = Arc<Mutex<Option<AuditRow>>>;

tokio::task_local! {
    static DOING: PendingRow;
}

/// Runs `doing`; the first change of a table that it hands over takes the row with it.
pub async fn while_doing<T>(row: PendingRow, doing: impl Future<Output = T>) -> T {
    DOING.scope(row, doing).await
}

/// The rows to write with the change that is being handed over, made from the row that waits for
/// it.
pub(super) fn rows_of(acts: impl FnOnce(AuditRow) -> Vec<AuditRow>) -> Vec<AuditRow> {
    let make = |pending: &PendingRow| {
        let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = pending.clone().map(acts).unwrap_or_default();
        if !rows.is_empty() {
            *pending = None;
        }
        rows
    };
    DOING.try_with(make).unwrap_or_default()
}

/// The write end of the audit log. All clones share one queue.
#[derive(Clone)]
pub struct AuditLog {
    journal: Journal,
    waiting: Arc<Mutex<VecDeque<AuditRow>>>,
}

impl AuditLog {
    /// The write end for this journal.
    pub fn of(journal: Journal) -> Self {
        Self {
            journal,
            waiting: Arc::default(),
        }
    }

    /// Records an act that has changed nothing in the store.
    pub fn note(&self, row: AuditRow) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(row);
        if waiting.len() > limits::AUDIT_WAITING {
            waiting.pop_front();
            log::error!("the audit log has lost a row, as there is no room to write: see the log");
        }
        drop(waiting);
        self.write();
    }

    /// Writes the waiting rows if the writer's queue has room.
    pub(super) fn write(&self) {
        let Ok(place) = self.journal.reserve() else {
            return;
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(WRITTEN);
        let rows: Vec<AuditRow> = waiting.drain(..count).collect();
        drop(waiting);
        if rows.is_empty() {
            return;
        }
        let (again, kept) = (self.clone(), rows.clone());
        place.write(
            Some(WriteOp::Audit(AuditChange::Added(rows))),
            Box::new(move |written: Written| {
                // The next note, or the next sweep of idle instances, tries again.
                if written == Err(NotWritten::NoRoom) {
                    let mut waiting = again.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    for row in kept.into_iter().rev() {
                        waiting.push_front(row);
                    }
                }
            }),
        );
    }

    /// Deletes rows older than `keep`, a bounded number at a time.
    pub(super) fn forget(&self, keep: Duration) {
        let Ok(place) = self.journal.reserve() else {
            return;
        };
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before = crate::model::ids::Time(real_now().0.saturating_sub(keep));
        let change = AuditChange::Forgotten(before, limits::RETENTION_ROWS);
        place.write(Some(WriteOp::Audit(change)), Box::new(|_| {}));
    }
}
