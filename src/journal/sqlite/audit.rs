//! The audit log in SQLite.

use rusqlite::{Result, Row, ToSql, params};

use super::{
    read::SqliteReader,
    row_reading,
    sql_filter::{SqlFilter, bounded},
    statements::Statements,
};
use crate::{
    journal::{
        audit::{AuditChange, AuditFilter, AuditReader, AuditRow},
        store::StoreError,
    },
    limits,
};

/// All columns of a row.
pub(super) const AUDIT: &str = "SELECT id, at, tenant, subject, address, act, details FROM audit";

pub(super) fn row(row: &Row<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        id: row.get(0)?,
        at: row.get(1)?,
        tenant: row.get(2)?,
        subject: row.get(3)?,
        address: row.get(4)?,
        act: row.get(5)?,
        details: row.get(6)?,
    })
}

/// Adds rows, and deletes the oldest if there are too many; returns the bytes added.
pub(super) fn add(db: &mut Statements<'_>, rows: &[AuditRow]) -> Result<usize> {
    let mut bytes = 0;
    for row in rows {
        bytes += row.details.len();
        let sql = "INSERT INTO audit (at, tenant, subject, address, act, details)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        db.get(sql)?.execute(params![
            row.at,
            row.tenant,
            row.subject,
            row.address,
            row.act,
            row.details
        ])?;
    }
    db.get("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1")?
        .execute([bounded(limits::AUDIT_ROWS.get())])?;
    Ok(bytes)
}

/// Applies a change; returns the bytes added.
pub(super) fn change(db: &mut Statements<'_>, change: &AuditChange) -> Result<usize> {
    match change {
        AuditChange::Added(rows) => add(db, rows),
        AuditChange::Forgotten(before, maximum) => {
            // Times grow with the numbers, unless a clock was set back. The newest row stays, so
            // that no number is used twice.
            let sql = "DELETE FROM audit WHERE id IN (SELECT id FROM
                    (SELECT id, at FROM audit ORDER BY id LIMIT ?2) WHERE at < ?1)
                AND id < (SELECT max(id) FROM audit)";
            db.get(sql)?.execute(params![before, bounded(*maximum)])?;
            Ok(0)
        }
    }
}

impl AuditReader for SqliteReader {
    fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> std::result::Result<Vec<AuditRow>, StoreError> {
        let limit = bounded(limit);
        let mut statement = SqlFilter::of(AUDIT);
        statement.and_given("tenant = ?", filter.tenant.as_ref());
        statement.and_given("subject = ?", filter.subject.as_ref());
        statement.and_given("act = ?", filter.act.as_ref());
        statement.and_given("at >= ?", filter.since.as_ref());
        let values: [&dyn ToSql; 1];
        if let Some(before) = &before {
            values = [before];
            statement.and("id < ?", &values);
        }
        if filter.tenant.is_none() {
            statement.push("/*whole: in the order of its numbers*/");
        }
        statement.push(" ORDER BY id DESC");
        statement.limit(&limit);
        self.listed(
            &row_reading::AUDIT,
            statement.sql(),
            statement.values(),
            row,
        )
    }
}
