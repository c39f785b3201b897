//! Drafts of tasks in SQLite.

use rusqlite::{Result, Row, params};

use super::statements::Statements;
use crate::journal::draft::{DraftChange, DraftKey, DraftRow};

/// Every draft, by its key.
pub(super) const DRAFT: &str =
    "SELECT instance, element, action, subject, tenant, stranger, data, saved_at
    FROM draft /*whole: at start*/ ORDER BY instance, element, action, subject";

pub(super) fn row(row: &Row<'_>) -> Result<DraftRow> {
    Ok(DraftRow {
        key: DraftKey {
            instance: row.get(0)?,
            element: row.get(1)?,
            action: row.get(2)?,
            subject: row.get(3)?,
        },
        tenant: row.get(4)?,
        stranger: row.get(5)?,
        data: row.get(6)?,
        saved_at: row.get(7)?,
    })
}

/// Applies the changes; returns the bytes added.
pub(super) fn change(db: &mut Statements<'_>, changes: &[DraftChange]) -> Result<usize> {
    let mut bytes = 0;
    for change in changes {
        match change {
            DraftChange::Put(row) => {
                let key = &row.key;
                bytes += row.data.len();
                db.get(
                    "INSERT OR REPLACE INTO draft
                     (instance, element, action, subject, tenant, stranger, data, saved_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    key.instance,
                    key.element,
                    key.action,
                    key.subject,
                    row.tenant,
                    row.stranger,
                    row.data,
                    row.saved_at
                ])?;
            }
            DraftChange::Removed(key) => {
                db.get(
                    "DELETE FROM draft
                     WHERE instance = ?1 AND element = ?2 AND action = ?3 AND subject = ?4",
                )?
                .execute(params![
                    key.instance,
                    key.element,
                    key.action,
                    key.subject
                ])?;
            }
        }
    }
    Ok(bytes)
}
