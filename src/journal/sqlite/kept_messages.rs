//! Kept messages in SQLite.

use rusqlite::{Result, Row, params};

use super::{statements::Statements, values::Seq};
use crate::journal::{
    kept_message::{KeptMessage, KeptMessageRow},
    row::LogRow,
};

/// Every kept message, the first to expire first.
pub(super) const KEPT_MESSAGE: &str = "SELECT kept_until, entity, number, tenant FROM kept_message /*whole: at start*/ ORDER BY kept_until, entity, number";

/// Expired rows that are deleted for each new one, so that there are never many more than are kept.
const DELETED_PER_ROW: u32 = 2;

pub(super) fn row(row: &Row<'_>) -> Result<KeptMessageRow> {
    Ok(KeptMessageRow {
        until: row.get(0)?,
        entity: row.get(1)?,
        number: row.get::<_, Seq>(2)?.0,
        tenant: row.get(3)?,
    })
}

/// Adds a message that a row of the log keeps.
pub(super) fn put(db: &mut Statements<'_>, row: &LogRow, kept: &KeptMessage) -> Result<()> {
    db.get(
        "DELETE FROM kept_message WHERE (kept_until, entity, number) IN
         (SELECT kept_until, entity, number FROM kept_message
          WHERE kept_until <= ?1 ORDER BY kept_until LIMIT ?2)",
    )?
    .execute(params![row.time, DELETED_PER_ROW])?;
    db.get(
        "INSERT INTO kept_message (kept_until, entity, number, tenant) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        kept.until,
        row.entity.to_bytes(),
        Seq(kept.number),
        row.tenant
    ])?;
    Ok(())
}
