//! The table of HTTP calls: written and read here, because it also changes apart from rows of
//! instances.

use rusqlite::{Result, Row, ToSql, params};

use super::{read::SqliteReader, row_reading, statements::Statements, values::Seq};
use crate::{
    journal::{
        http_call::{CallAttempts, CallChange, FullPlaces, HttpCallRow},
        store::StoreError,
    },
    limits::WEBHOOKS_GIVEN_UP,
    model::ids::{InstanceKey, Time},
};

pub(super) const CALL: &str = "SELECT instance, seq, tenant, process, node, action, host, url, body, placed_at, attempts, due, problem
     FROM http_call";

pub(super) fn put(db: &mut Statements<'_>, row: &HttpCallRow) -> Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO http_call
             (instance, seq, tenant, process, node, action, host, url, body, placed_at, attempts, due, problem)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let CallAttempts {
        attempts,
        due,
        problem,
    } = &row.tried;
    statement.execute(params![
        row.instance,
        Seq(row.seq),
        row.tenant,
        row.process,
        row.node,
        row.action,
        row.host,
        row.url,
        row.body,
        row.placed_at,
        attempts,
        due,
        problem,
    ])?;
    Ok(())
}

pub(super) fn forget(db: &mut Statements<'_>, instance: InstanceKey, seq: u64) -> Result<()> {
    db.get("DELETE FROM http_call WHERE instance = ?1 AND seq = ?2")?
        .execute(params![instance, Seq(seq)])?;
    Ok(())
}

pub(super) fn change(
    db: &mut Statements<'_>,
    instance: InstanceKey,
    seq: u64,
    change: &CallChange,
) -> Result<()> {
    let CallChange::Attempted(CallAttempts {
        attempts,
        due,
        problem,
    }) = change
    else {
        return forget(db, instance, seq);
    };
    let sql = "UPDATE http_call SET attempts = ?3, due = ?4, problem = ?5 WHERE instance = ?1 \
        AND seq = ?2";
    db.get(sql)?
        .execute(params![instance, Seq(seq), attempts, due, problem])?;
    if due.is_none() {
        let sql = "DELETE FROM http_call WHERE (instance, seq) IN
             (SELECT instance, seq FROM http_call WHERE due IS NULL ORDER BY placed_at DESC LIMIT -1 OFFSET ?1)";
        db.get(sql)?.execute([WEBHOOKS_GIVEN_UP.get() as i64])?;
    }
    Ok(())
}

/// See `StoreReader::due_calls`.
pub(super) fn due(
    reader: &SqliteReader,
    until: Time,
    full: &FullPlaces,
    limit: i64,
) -> std::result::Result<Vec<HttpCallRow>, StoreError> {
    let mut sql = format!("{CALL} WHERE due <= ?");
    let mut values: Vec<&dyn ToSql> = vec![&until];
    for (column, names) in [("host", &full.hosts), ("tenant", &full.tenants)] {
        let marks = vec!["?"; names.len()].join(", ");
        sql += &format!(" AND {column} NOT IN ({marks})");
        values.extend(names.iter().map(|name| name as &dyn ToSql));
    }
    for (tenant, process) in &full.definitions {
        sql += " AND NOT (tenant = ? AND process = ?)";
        values.extend([tenant as &dyn ToSql, process as &dyn ToSql]);
    }
    sql += "/*sorts: what is due at one moment*/ ORDER BY due, instance, seq LIMIT ?";
    values.push(&limit);
    reader.listed(&row_reading::HTTP_CALLS, &sql, values.as_slice(), row)
}

/// See `StoreReader::next_call`.
pub(super) fn next(
    reader: &SqliteReader,
    after: Time,
) -> std::result::Result<Option<Time>, StoreError> {
    Ok(reader
        .one(
            "SELECT min(due) FROM http_call WHERE due > ?1",
            [after],
            |row| row.get(0),
        )?
        .flatten())
}

/// See `StoreReader::http_calls`.
pub(super) fn list(
    reader: &SqliteReader,
    tenant: &str,
    (instance, seq): (InstanceKey, u64),
    limit: i64,
) -> std::result::Result<Vec<HttpCallRow>, StoreError> {
    let sql = format!(
        "{CALL} WHERE (instance, seq) < (?1, ?2) AND tenant = ?3 ORDER BY instance DESC, seq \
        DESC LIMIT ?4"
    );
    reader.listed(
        &row_reading::HTTP_CALLS,
        &sql,
        params![instance, Seq(seq), tenant, limit],
        row,
    )
}

pub(super) fn row(row: &Row<'_>) -> Result<HttpCallRow> {
    let Seq(seq) = row.get(1)?;
    Ok(HttpCallRow {
        instance: row.get(0)?,
        seq,
        tenant: row.get(2)?,
        process: row.get(3)?,
        node: row.get(4)?,
        action: row.get(5)?,
        host: row.get(6)?,
        url: row.get(7)?,
        body: row.get(8)?,
        placed_at: row.get(9)?,
        tried: CallAttempts {
            attempts: row.get(10)?,
            due: row.get(11)?,
            problem: row.get(12)?,
        },
    })
}
