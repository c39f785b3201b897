//! Notes what administrators, operators and designers do, for the audit log.
//!
//! What changes something in the store is written with the row that reports it, in one transaction:
//! an operator's command with its row of the log, what an administrator does with the change of the
//! table ([`while_doing`]). What changes nothing there (a token is issued, a connection closed) has
//! a row of its own once it is done; while there is no room for it, it waits. Not here: how rows
//! are kept (`journal::audit`), the lines of the log (`logging`).

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
    logging::Field,
};

/// Rows written at once.
const WRITTEN: usize = 256;

/// What was done, before it has a number and a time.
pub struct AuditNote<'a> {
    /// The tenant of who did it.
    pub tenant: &'a str,
    /// Who did it.
    pub subject: &'a str,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// What was done.
    pub act: &'a str,
    /// To what.
    pub details: &'a [(&'static str, Field)],
}

impl AuditNote<'_> {
    /// The row, with the time it is made.
    pub fn row(&self) -> AuditRow {
        let member = |(name, field): &(&'static str, Field)| ((*name).to_owned(), field.to_json());
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

/// A row that waits for the change it reports; gone once that was handed over with it.
pub type PendingRow = Arc<Mutex<Option<AuditRow>>>;

tokio::task_local! {
    static DOING: PendingRow;
}

/// Does something; the first change of a table that it hands over takes the row along.
pub async fn while_doing<T>(row: PendingRow, doing: impl Future<Output = T>) -> T {
    DOING.scope(row, doing).await
}

/// The rows that go with a change which is being handed over, made of the one that waits for it.
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

/// The audit log's end that is written to. Clones are the same.
#[derive(Clone)]
pub struct AuditLog {
    journal: Journal,
    waiting: Arc<Mutex<VecDeque<AuditRow>>>,
}

impl AuditLog {
    /// The one of this journal.
    pub fn of(journal: Journal) -> Self {
        Self {
            journal,
            waiting: Arc::default(),
        }
    }

    /// Notes something that was done and has changed nothing in the store.
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

    /// Writes what waits, if there is room.
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
                // The next note, or the next look after idle instances, tries again.
                if written == Err(NotWritten::NoRoom) {
                    let mut waiting = again.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    for row in kept.into_iter().rev() {
                        waiting.push_front(row);
                    }
                }
            }),
        );
    }

    /// Forgets what was done longer ago, a bounded number of rows.
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
