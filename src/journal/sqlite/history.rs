//! Compressed history in SQLite: moves rows from the log to segments, deletes instances, and reads
//! rows of both.

use rusqlite::{OptionalExtension, Result, Row, params};
use uuid::Uuid;

use super::{
    failed, from_row::stored_row, read::SqliteReader, sql_filter::bounded, statements::Statements,
    values::Seq,
};
use crate::{
    journal::{
        history::{
            AgedCorrelation, AgedCursor, AgedInstance, DroppedInstance, HistoryChange,
            HistoryReader, HistorySegment, HistorySize,
        },
        log_part::{LogLimit, LogPart},
        row::{Entity, LAST_INSTANCE, StoredRow},
        store::StoreError,
    },
    model::ids::{InstanceKey, Time},
};

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;

/// Applies a change; returns the bytes added.
pub(super) fn change(db: &mut Statements<'_>, change: &HistoryChange) -> Result<usize> {
    match change {
        HistoryChange::Pack(segments) => {
            let mut bytes = 0;
            for segment in segments {
                bytes += pack(db, segment)?;
            }
            Ok(bytes)
        }
        HistoryChange::ForgetSnapshots(entities) => {
            for entity in entities {
                db.get("DELETE FROM snapshot WHERE entity = ?1")?
                    .execute([entity.to_bytes()])?;
            }
            Ok(0)
        }
        HistoryChange::Drop(instances) => {
            instances
                .iter()
                .try_for_each(|instance| drop_instance(db, instance))?;
            Ok(0)
        }
        HistoryChange::DropCorrelations(entities) => {
            for entity in entities {
                for sql in [
                    "DELETE FROM log WHERE entity = ?1",
                    "DELETE FROM snapshot WHERE entity = ?1",
                ] {
                    db.get(sql)?.execute([entity.to_bytes()])?;
                }
            }
            Ok(0)
        }
        HistoryChange::FilesRemoved(files) => {
            for (instance, file) in files {
                db.get("DELETE FROM dropped_file WHERE instance = ?1 AND file = ?2")?
                    .execute(params![instance, file.as_bytes()])?;
            }
            Ok(0)
        }
        HistoryChange::ShrinkDatabase => {
            let mut rows = db.get("PRAGMA incremental_vacuum(256)")?.query([])?;
            let mut pages = 0;
            while rows.next()?.is_some() {
                pages += 1;
            }
            // For each page that is returned another one is written in its place.
            Ok(pages * PAGE)
        }
    }
}

fn pack(db: &mut Statements<'_>, segment: &HistorySegment) -> Result<usize> {
    let entity = segment.entity.to_bytes();
    let range = params![entity, Seq(segment.first_seq), Seq(segment.last_seq)];
    let logged: u32 = db
        .get("SELECT count(*) FROM log WHERE entity = ?1 AND first_seq BETWEEN ?2 AND ?3")?
        .query_row(range, |row| row.get(0))?;
    // The rows that were read no longer exist: nothing changes.
    if logged != segment.rows {
        return Ok(0);
    }
    db.get("DELETE FROM log WHERE entity = ?1 AND first_seq BETWEEN ?2 AND ?3")?
        .execute(range)?;
    db.get(
        "INSERT INTO history (entity, first_seq, last_seq, rows, unpacked, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        entity,
        Seq(segment.first_seq),
        Seq(segment.last_seq),
        segment.rows,
        segment.unpacked,
        segment.body
    ])?;
    add_to_size(db, i64::from(segment.rows), segment.body.len() as i64)?;
    Ok(segment.body.len())
}

fn add_to_size(db: &mut Statements<'_>, rows: i64, bytes: i64) -> Result<()> {
    db.get("UPDATE meta SET packed_rows = packed_rows + ?1, packed_bytes = packed_bytes + ?2")?
        .execute([rows, bytes])
        .map(drop)
}

fn drop_instance(db: &mut Statements<'_>, dropped: &DroppedInstance) -> Result<()> {
    let (key, entity) = (dropped.key, Entity::from(dropped.key).to_bytes());
    let packed = "SELECT coalesce(sum(rows), 0), coalesce(sum(length(body)), 0) FROM history WHERE \
        entity = ?1";
    let (rows, bytes): (i64, i64) = db
        .get(packed)?
        .query_row([entity], |row| Ok((row.get(0)?, row.get(1)?)))?;
    add_to_size(db, -rows, -bytes)?;
    for sql in [
        "DELETE FROM history WHERE entity = ?1",
        "DELETE FROM log WHERE entity = ?1",
        "DELETE FROM snapshot WHERE entity = ?1",
    ] {
        db.get(sql)?.execute([entity])?;
    }
    // A job is found by its times, which are those of its instance.
    let job = "DELETE FROM job WHERE instance = ?1 AND (tenant, process, created_at) = \
        (SELECT tenant, process, created_at FROM instance WHERE key = ?1)";
    for sql in [
        job,
        "DELETE FROM instance WHERE key = ?1",
        "DELETE FROM searched WHERE instance = ?1",
        "DELETE FROM incident WHERE instance = ?1",
        "DELETE FROM http_call WHERE instance = ?1",
        "DELETE FROM draft WHERE instance = ?1",
    ] {
        db.get(sql)?.execute([key])?;
    }
    for file in &dropped.files {
        db.get("INSERT OR IGNORE INTO dropped_file (instance, file) VALUES (?1, ?2)")?
            .execute(params![key, file.as_bytes()])?;
    }
    Ok(())
}

/// The subquery finds the row that may contain `after_seq` with the index alone.
const ROWS_AFTER: &str = "
    SELECT pos, epoch, entity, tenant, first_seq, last_seq, time, body FROM log
    WHERE entity = ?1 AND last_seq > ?2
      AND first_seq >= coalesce((SELECT max(first_seq) FROM log WHERE entity = ?1 AND first_seq <= ?2), 0)
    ORDER BY first_seq LIMIT ?3";

impl SqliteReader {
    /// Adds rows of an entity from the log, without compressed ones.
    pub(super) fn take_logged(
        &self,
        part: &mut LogPart,
        entity: Entity,
        after_seq: u64,
        limit: LogLimit,
    ) -> Result<(), StoreError> {
        if part.is_full(limit) {
            return Ok(());
        }
        let maximum = bounded(limit.rows - part.rows.len());
        let mut bytes = part.bytes;
        let rows = self.list_until(
            ROWS_AFTER,
            params![entity.to_bytes(), Seq(after_seq), maximum],
            stored_row,
            |stored| {
                bytes += stored.row.body.len();
                bytes >= limit.bytes
            },
        )?;
        part.take(limit, rows);
        Ok(())
    }

    /// Runs several queries on the state of one moment.
    pub(super) fn at_one_moment<T>(
        &self,
        read: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let alone = self.connection.is_autocommit();
        let begin = || self.connection.unchecked_transaction();
        let moment = alone
            .then(begin)
            .transpose()
            .map_err(failed("begin to read"))?;
        let found = read();
        drop(moment);
        found
    }
}

/// The rows of an entity after a number: compressed ones first, then those of the log.
pub(super) fn log_part(
    reader: &SqliteReader,
    entity: Entity,
    after_seq: u64,
    limit: LogLimit,
) -> Result<LogPart, StoreError> {
    reader.at_one_moment(|| {
        let mut part = packed_part(reader, entity, after_seq, limit)?;
        let last = part.rows.last();
        let after = last.map_or(after_seq, |last| last.row.last_seq);
        reader.take_logged(&mut part, entity, after, limit)?;
        Ok(part)
    })
}

fn packed_part(
    reader: &SqliteReader,
    entity: Entity,
    after_seq: u64,
    limit: LogLimit,
) -> Result<LogPart, StoreError> {
    let mut part = LogPart::default();
    let mut after = after_seq;
    // One segment at a time, so that no more is decompressed than needed.
    while !part.is_full(limit)
        && let Some(segment) = segment_after(reader, entity, after)?
    {
        after = segment.last_seq;
        let rows = segment.unpack()?.into_iter();
        part.take(limit, rows.filter(|stored| stored.row.last_seq > after_seq));
    }
    Ok(part)
}

fn segment_after(
    reader: &SqliteReader,
    entity: Entity,
    after_seq: u64,
) -> Result<Option<HistorySegment>, StoreError> {
    // The subquery finds the segment that may contain `after_seq` with the index alone.
    let sql = "SELECT first_seq, last_seq, rows, unpacked, body FROM history
        WHERE entity = ?1 AND last_seq > ?2
          AND first_seq >= coalesce((SELECT max(first_seq) FROM history WHERE entity = ?1 AND first_seq <= ?2), 0)
        ORDER BY first_seq LIMIT 1";
    reader.one(sql, params![entity.to_bytes(), Seq(after_seq)], |row| {
        let (Seq(first_seq), Seq(last_seq)) = (row.get(0)?, row.get(1)?);
        Ok(HistorySegment {
            entity,
            first_seq,
            last_seq,
            rows: row.get(2)?,
            unpacked: row.get(3)?,
            body: row.get(4)?,
        })
    })
}

impl SqliteReader {
    /// Instances of the cursor's tenant after the cursor, the oldest first.
    fn aged_of_tenant(
        &self,
        until: Time,
        after: &AgedCursor,
        limit: usize,
    ) -> Result<Vec<AgedInstance>, StoreError> {
        let sql = "SELECT key, created_at, ended_at, parent IS NULL,
                EXISTS (SELECT 1 FROM log WHERE entity = CAST(X'01' || key AS BLOB))
            FROM instance WHERE tenant = ?5 AND created_at <= ?1 AND (created_at, key) > (?2, ?3)
            ORDER BY created_at, key LIMIT ?4";
        let (tenant, limit) = (&after.tenant, bounded(limit));
        let values = params![until, after.created_at, after.key, limit, tenant];
        self.list(sql, values, |row| {
            Ok(AgedInstance {
                tenant: tenant.clone(),
                key: row.get(0)?,
                created_at: row.get(1)?,
                ended_at: row.get(2)?,
                is_root: row.get(3)?,
                is_logged: row.get(4)?,
            })
        })
    }
}

impl HistoryReader for SqliteReader {
    fn aged_instances(
        &self,
        until: Time,
        after: Option<AgedCursor>,
        limit: usize,
    ) -> Result<Vec<AgedInstance>, StoreError> {
        let next_tenant = "SELECT tenant FROM instance WHERE tenant > ?1 ORDER BY tenant LIMIT 1";
        let mut found: Vec<AgedInstance> = Vec::new();
        let mut place = after;
        loop {
            if let Some(after) = &place {
                found.extend(self.aged_of_tenant(until, after, limit - found.len())?);
                if found.len() >= limit {
                    return Ok(found);
                }
            }
            let last = place.map_or(String::new(), |after| after.tenant);
            let Some(tenant) = self.one(next_tenant, [last], |row| row.get(0))? else {
                return Ok(found);
            };
            place = Some(AgedCursor {
                tenant,
                created_at: Time(i64::MIN),
                key: InstanceKey(Uuid::nil()),
            });
        }
    }

    fn unpacked_rows(
        &self,
        entity: Entity,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let sql = "SELECT pos, epoch, entity, tenant, first_seq, last_seq, time, body
            FROM log WHERE entity = ?1 ORDER BY first_seq LIMIT ?2";
        let read = || -> Result<Vec<StoredRow>> {
            let mut statement = self.prepared(sql)?;
            let mut rows = statement.query(params![entity.to_bytes(), bounded(limit)])?;
            let (mut found, mut size) = (Vec::new(), 0);
            while size < bytes
                && let Some(row) = rows.next()?
            {
                let stored = stored_row(row)?;
                size += stored.row.body.len();
                found.push(stored);
            }
            Ok(found)
        };
        read().map_err(failed("read rows of the log"))
    }

    fn is_tree_recent(&self, root: InstanceKey, ended_after: Time) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM instance WHERE root = ?1 AND parent IS NOT NULL
            AND (ended_at IS NULL OR ended_at > ?2 OR open_until IS NOT NULL))";
        let found = self.one(sql, params![root, ended_after], |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    fn below(&self, root: InstanceKey, limit: usize) -> Result<Vec<InstanceKey>, StoreError> {
        let sql = "SELECT key FROM instance WHERE root = ?1 AND parent IS NOT NULL LIMIT ?2";
        self.list(sql, params![root, bounded(limit)], |row| row.get(0))
    }

    fn is_in_use(&self, key: InstanceKey) -> Result<bool, StoreError> {
        let sql = "SELECT
            EXISTS (SELECT 1 FROM instance WHERE key = ?1 AND open_until IS NOT NULL)
            OR EXISTS (SELECT 1 FROM timer WHERE instance = ?1)
            OR EXISTS (SELECT 1 FROM task WHERE instance = ?1)
            OR EXISTS (SELECT 1 FROM http_call WHERE instance = ?1 AND due IS NOT NULL)
            OR EXISTS (SELECT 1 FROM outbox WHERE source = ?2)
            OR EXISTS (SELECT 1 FROM outbox WHERE target = ?2)
            OR coalesce((SELECT entity FROM log /*whole: its last row*/ ORDER BY pos DESC LIMIT 1) = ?2, 0)";
        let entity = Entity::from(key).to_bytes();
        let found = self.one(sql, params![key, entity], |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    fn aged_correlations(
        &self,
        after: Option<Entity>,
        limit: usize,
    ) -> Result<Vec<AgedCorrelation>, StoreError> {
        // One at a time, with the index: the rows of none of them are read.
        let next = "SELECT entity, time,
                EXISTS (SELECT 1 FROM outbox WHERE source = entity)
                OR EXISTS (SELECT 1 FROM outbox WHERE target = entity)
                OR coalesce((SELECT entity FROM log /*whole: its last row*/ ORDER BY pos DESC LIMIT 1) = entity, 0)
            FROM log WHERE entity = (SELECT min(entity) FROM log WHERE entity > ?1)
            ORDER BY first_seq DESC LIMIT 1";
        let mut after = after.unwrap_or(LAST_INSTANCE);
        let mut found = Vec::new();
        while found.len() < limit {
            let aged = self.one(next, [after.to_bytes()], |row| {
                Ok(AgedCorrelation {
                    entity: row.get(0)?,
                    last: row.get(1)?,
                    is_in_use: row.get(2)?,
                })
            })?;
            let Some(aged) = aged else { break };
            after = aged.entity;
            found.push(aged);
        }
        Ok(found)
    }

    fn files_to_remove(&self, limit: usize) -> Result<Vec<(InstanceKey, Uuid)>, StoreError> {
        let sql = "SELECT instance, file FROM dropped_file /*whole: any of them*/ LIMIT ?1";
        self.list(sql, [bounded(limit)], |row: &Row<'_>| {
            Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?)))
        })
    }

    fn history_size(&self) -> Result<HistorySize, StoreError> {
        let read = || -> Result<HistorySize> {
            let sql = "SELECT packed_rows, packed_bytes FROM meta";
            let sizes = self.connection.query_row(sql, [], |row| {
                let (Seq(rows), Seq(bytes)) = (row.get(0)?, row.get(1)?);
                Ok((rows, bytes))
            });
            let (rows, bytes) = sizes.optional()?.unwrap_or_default();
            let pragma = |name: &str| {
                let sql = format!("PRAGMA {name}");
                self.connection
                    .query_row(&sql, [], |row| row.get(0).map(|Seq(value)| value))
            };
            let page = pragma("page_size")?;
            Ok(HistorySize {
                rows,
                bytes,
                database: pragma("page_count")? * page,
                free: pragma("freelist_count")? * page,
            })
        };
        read().map_err(failed("read what history takes"))
    }
}
