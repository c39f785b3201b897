//! Notes what administrators, operators and designers do, for the audit log.
//!
//! A row is written after what it tells of is durable, with the next batch; while there is no room
//! for it, it waits. A server that is killed in between has done something that is not in the audit
//! log, a matter of milliseconds. Not here: how rows are kept (`journal::audit`), the lines of the
//! log (`logging`).

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

    /// Notes something that was done.
    pub fn note(&self, note: &AuditNote<'_>) {
        let member = |(name, field): &(&'static str, Field)| ((*name).to_owned(), field.to_json());
        let details: Map<String, Value> = note.details.iter().map(member).collect();
        let row = AuditRow {
            id: 0,
            at: real_now(),
            tenant: note.tenant.to_owned(),
            subject: note.subject.to_owned(),
            address: note.address.map(|address| address.to_string()),
            act: note.act.to_owned(),
            details: Value::Object(details).to_string(),
        };
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
