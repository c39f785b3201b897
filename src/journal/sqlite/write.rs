//! The write side: one transaction per batch, with statements that are prepared once. Not here: the
//! tables (`schema/`).

use rusqlite::{ErrorCode, params};
use uuid::Uuid;

use super::{
    audit, counts, drafts, failed, history, http_calls, jobs, kept_messages,
    open::{BUSY_TIMEOUT, SqliteStore},
    statements::Statements,
    values::{INSTANCE_ITSELF, Revision, Roles, Seq, StatusNumber},
};
use crate::journal::{
    change::{Commit, ReadModelChange, WriteOp},
    definition::DefinitionRow,
    in_use::CountChanges,
    listing::{IncidentRow, InstanceRow, Owner, SearchedRow, TaskRow, TimerRow, TimerRowKey},
    row::{Entity, LogRow, OutboxRow, SnapshotRow},
    schedule::{ScheduleChange, ScheduleKey, ScheduleRow},
    store::{Store, StoreError, StoreReader},
    user::UserRow,
};

/// The approximate bytes that an operation adds to the write-ahead log beyond its bodies: one page.
const PAGE: usize = history::PAGE;

impl Store for SqliteStore {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let committed = self.commit_batch(batch);
        self.has_failed |=
            matches!(&committed, Err(error) if !matches!(error, StoreError::NoRoom(_)));
        committed
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.connection
            .execute("UPDATE meta SET epoch = epoch", [])
            .map(drop)
            .map_err(failed("write to the database"))
    }

    /// Empties the cache of pages, which has up to 32 MiB after a burst.
    fn rest(&mut self) {
        if let Err(error) = self.connection.execute_batch("PRAGMA shrink_memory") {
            log::warn!("expected to give back the cache of the database, but {error}");
        }
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        Ok(Box::new(self.open_reader()?))
    }
}

impl SqliteStore {
    fn commit_batch(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        self.checkpointer
            .restart_if_full(&self.connection, BUSY_TIMEOUT)
            .map_err(failed("start the write-ahead log over"))?;
        // Dropping the transaction rolls it back, so an error leaves nothing behind.
        let transaction = self
            .connection
            .transaction()
            .map_err(failed("begin a transaction"))?;
        let mut last_pos = self.last_pos;
        let mut bytes = 0;
        let mut db = Statements::of(&transaction);
        let mut counts = CountChanges::default();
        if !self.epoch_written {
            put_epoch(&mut db, self.epoch).map_err(failed("count this opening"))?;
        }
        for op in batch {
            bytes += PAGE + write(&mut db, op, self.epoch, &mut last_pos, &mut counts)?;
        }
        counts::write(&mut db, &counts).map_err(failed("count instances"))?;
        drop(db);
        transaction.commit().map_err(failed("commit a batch"))?;
        self.epoch_written = true;
        self.last_pos = last_pos;
        self.checkpointer.wrote(bytes);
        Ok(())
    }
}

/// Writes one change; returns the bytes added.
fn write<'a>(
    db: &mut Statements<'_>,
    op: &'a WriteOp,
    epoch: i64,
    last_pos: &mut i64,
    counts: &mut CountChanges<'a>,
) -> Result<usize, StoreError> {
    let mut bytes = 0;
    match op {
        WriteOp::Commit(commit) => {
            *last_pos += 1;
            bytes += commit.row.body.len();
            append(db, *last_pos, epoch, commit)?;
            counts::add(counts, commit);
        }
        WriteOp::Snapshot(entity, snapshot) => {
            bytes += snapshot.body.len();
            put_snapshot(db, *entity, snapshot).map_err(failed("write a snapshot"))?;
        }
        WriteOp::Definitions(rows, schedules) => {
            for row in rows {
                put_definition(db, row)?;
            }
            change_schedules(db, schedules)?;
        }
        WriteOp::User(row) => put_user(db, row).map_err(failed("write a user"))?,
        WriteOp::Drafts(changes) => {
            bytes += drafts::change(db, changes).map_err(failed("write drafts"))?;
        }
        WriteOp::HttpCall(instance, seq, change) => {
            http_calls::change(db, *instance, *seq, change)
                .map_err(failed("write a call to the outside"))?;
        }
        WriteOp::Audit(change) => {
            bytes += audit::change(db, change).map_err(failed("write what was done"))?;
        }
        WriteOp::Audited(op, rows) => {
            bytes += write(db, op, epoch, last_pos, counts)?;
            bytes += audit::add(db, rows).map_err(failed("write what was done"))?;
        }
        WriteOp::History(change) => {
            bytes += history::change(db, change).map_err(failed("pack or remove history"))?;
        }
        WriteOp::OutboxDelivered(source, seq) => {
            drop_message(db, *source, *seq).map_err(failed("delete a delivered message"))?;
        }
    }
    Ok(bytes)
}

fn put_epoch(db: &mut Statements<'_>, epoch: i64) -> rusqlite::Result<()> {
    db.get("UPDATE meta SET epoch = ?1")?.execute([epoch])?;
    Ok(())
}

fn append(
    db: &mut Statements<'_>,
    pos: i64,
    epoch: i64,
    commit: &Commit,
) -> Result<(), StoreError> {
    let entity = commit.row.entity;
    put_row(db, pos, epoch, &commit.row).map_err(|cause| match cause.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict(entity, commit.row.first_seq),
        _ => failed("append a log row")(cause),
    })?;
    let mut rest = || {
        if let Some(snapshot) = &commit.snapshot {
            put_snapshot(db, entity, snapshot)?;
        }
        if let Some(kept) = &commit.kept {
            kept_messages::put(db, &commit.row, kept)?;
        }
        commit
            .outbox
            .iter()
            .try_for_each(|message| put_message(db, entity, message))?;
        commit
            .changes
            .iter()
            .try_for_each(|change| apply(db, change))
    };
    rest().map_err(failed("write what belongs to a log row"))
}

fn put_row(db: &mut Statements<'_>, pos: i64, epoch: i64, row: &LogRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT INTO log (pos, partition, epoch, tenant, entity, first_seq, last_seq, time, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    statement.execute(params![
        pos,
        row.entity.partition(),
        epoch,
        row.tenant,
        row.entity.to_bytes(),
        Seq(row.first_seq),
        Seq(row.last_seq),
        row.time,
        row.body,
    ])?;
    Ok(())
}

fn put_snapshot(
    db: &mut Statements<'_>,
    entity: Entity,
    snapshot: &SnapshotRow,
) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT INTO snapshot (entity, seq, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (entity) DO UPDATE SET seq = excluded.seq, body = excluded.body",
    )?;
    statement.execute(params![entity.to_bytes(), Seq(snapshot.seq), snapshot.body])?;
    Ok(())
}

fn put_message(
    db: &mut Statements<'_>,
    source: Entity,
    message: &OutboxRow,
) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT INTO outbox (source, seq, target, body, publication) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute(params![
        source.to_bytes(),
        Seq(message.seq),
        message.target.to_bytes(),
        message.body,
        message.publication.map(Seq),
    ])?;
    Ok(())
}

fn drop_message(db: &mut Statements<'_>, source: Entity, seq: u64) -> rusqlite::Result<()> {
    db.get("DELETE FROM outbox WHERE source = ?1 AND seq = ?2")?
        .execute(params![source.to_bytes(), Seq(seq)])?;
    Ok(())
}

fn put_user(db: &mut Statements<'_>, row: &UserRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO user (tenant, name, password_hash, roles, revoked_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let roles = Roles(row.roles.clone());
    statement.execute(params![
        row.tenant,
        row.name,
        row.password_hash,
        roles,
        row.revoked_at,
        row.created_at
    ])?;
    Ok(())
}

fn put_definition(db: &mut Statements<'_>, row: &DefinitionRow) -> Result<(), StoreError> {
    let mut put = || -> rusqlite::Result<usize> {
        let Some(source) = &row.source else {
            let statement = db.get(
                "UPDATE definition SET state = ?1
                 WHERE tenant = ?2 AND id = ?3 AND version = ?4 AND revision = ?5",
            )?;
            let of = params![row.state, row.tenant, row.id, row.version, row.revision];
            return statement.execute(of);
        };
        // The revision is the hash of the source, so the text itself need not be compared.
        let statement = db.get(
            "INSERT INTO definition
                 (tenant, id, version, revision, state, alias, name, format, packed_source, created_at, created_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (tenant, id, version) DO UPDATE SET state = excluded.state WHERE revision = excluded.revision",
        )?;
        statement.execute(params![
            row.tenant,
            row.id,
            row.version,
            row.revision,
            row.state,
            row.alias,
            row.name,
            row.format,
            source.bytes(),
            row.created_at,
            row.created_by,
        ])
    };
    match put().map_err(failed("write a definition"))? {
        0 => Err(StoreError::Overwrite(row.id.clone(), row.version)),
        _ => Ok(()),
    }
}

fn change_schedules(db: &mut Statements<'_>, changes: &[ScheduleChange]) -> Result<(), StoreError> {
    let change = |change: &ScheduleChange| match change {
        ScheduleChange::Put(row) => put_schedule(db, row),
        ScheduleChange::Removed(ScheduleKey {
            tenant,
            process,
            node,
        }) => {
            let sql = "DELETE FROM schedule WHERE tenant = ?1 AND process = ?2 AND node = ?3";
            db.get(sql)?
                .execute(params![tenant, process, node])
                .map(drop)
        }
    };
    changes
        .iter()
        .try_for_each(change)
        .map_err(failed("write a schedule"))
}

fn put_schedule(db: &mut Statements<'_>, row: &ScheduleRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO schedule (tenant, process, node, version, expression, begun_at, next_due, enabled, fired,
             last_fired, last_instance, last_skipped, last_error, failed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    statement.execute(params![
        row.key.tenant,
        row.key.process,
        row.key.node,
        row.version,
        row.expression,
        row.begun_at,
        row.next_due,
        row.enabled,
        Seq(row.fired),
        row.last_fired,
        row.last_instance,
        row.last_skipped,
        row.last_error,
        row.failed_at,
    ])?;
    Ok(())
}

fn apply(db: &mut Statements<'_>, change: &ReadModelChange) -> rusqlite::Result<()> {
    match change {
        ReadModelChange::Instance(row, _) => put_instance(db, row),
        ReadModelChange::Job(row) => jobs::put(db, row),
        ReadModelChange::SearchedSet(row) => put_searched(db, row),
        ReadModelChange::SearchedCleared(instance, path) => {
            let sql = "DELETE FROM searched WHERE instance = ?1 AND path = ?2";
            db.get(sql)?.execute(params![instance, path]).map(drop)
        }
        ReadModelChange::TaskOpened(row) => put_task(db, row),
        ReadModelChange::TaskClosed(instance, element) => {
            let sql = "DELETE FROM task WHERE instance = ?1 AND element = ?2";
            db.get(sql)?.execute(params![instance, element]).map(drop)
        }
        ReadModelChange::TimerSet(row, owner) => put_timer(db, row, owner),
        ReadModelChange::TimerCleared(key) => drop_timer(db, key),
        ReadModelChange::CallPlaced(row) => http_calls::put(db, row),
        ReadModelChange::CallForgotten(instance, seq) => http_calls::forget(db, *instance, *seq),
        ReadModelChange::IncidentRaised(row) => put_incident(db, row),
        ReadModelChange::IncidentResolved(instance, element) => {
            let sql = "DELETE FROM incident WHERE instance = ?1 AND element = ?2";
            db.get(sql)?.execute(params![instance, element]).map(drop)
        }
    }
}

fn put_instance(db: &mut Statements<'_>, row: &InstanceRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT INTO instance (key, tenant, process, version, revision, status, business_key, started_by, parent, root,
             created_at, ended_at, incidents, outcome, open_until, descendants_ended, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT (key) DO UPDATE SET version = excluded.version, revision = excluded.revision, status = excluded.status,
             business_key = excluded.business_key, ended_at = excluded.ended_at, incidents = excluded.incidents,
             outcome = excluded.outcome, open_until = excluded.open_until, descendants_ended = excluded.descendants_ended,
             origin = excluded.origin",
    )?;
    statement.execute(params![
        row.key,
        row.tenant,
        row.process,
        row.version,
        Revision(row.revision.as_str()),
        StatusNumber::of(&row.status),
        row.business_key,
        row.started_by,
        row.parent,
        (row.root != row.key).then_some(row.root),
        row.created_at,
        row.ended_at,
        row.incidents,
        row.outcome,
        row.open_until,
        row.descendants_ended,
        row.origin.map(Uuid::into_bytes),
    ])?;
    Ok(())
}

fn put_searched(db: &mut Statements<'_>, row: &SearchedRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO searched (instance, path, tenant, value, created_at) \
            VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute(params![
        row.instance,
        row.path,
        row.tenant,
        row.value,
        row.created_at
    ])?;
    Ok(())
}

fn put_task(db: &mut Statements<'_>, row: &TaskRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO task (instance, element, tenant, process, node, name, lane, assignee, candidates, started_by,
             root_started_by, created_at, due_at, reminded_at, loop_counter)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    statement.execute(params![
        row.instance,
        row.element,
        row.tenant,
        row.process,
        row.node,
        row.name,
        row.lane,
        row.assignee,
        row.candidates.clone().map(Roles),
        row.started_by,
        (row.root_started_by != row.started_by).then_some(&row.root_started_by),
        row.created_at,
        row.due_at,
        row.reminded_at,
        row.loop_counter,
    ])?;
    Ok(())
}

fn put_timer(db: &mut Statements<'_>, row: &TimerRow, owner: &Owner) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO timer
             (instance, element, kind, name, occurrence, due, tenant, process)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let TimerRowKey {
        instance,
        element,
        kind,
        occurrence,
    } = &row.key;
    let (kind, name) = kind.parts();
    let element = element.unwrap_or(INSTANCE_ITSELF);
    statement.execute(params![
        instance,
        element,
        kind,
        name,
        occurrence,
        row.due,
        owner.tenant,
        owner.process
    ])?;
    Ok(())
}

fn drop_timer(db: &mut Statements<'_>, key: &TimerRowKey) -> rusqlite::Result<()> {
    let statement = db.get(
        "DELETE FROM timer WHERE instance = ?1 AND element = ?2 AND kind = ?3 \
        AND name = ?4 AND occurrence = ?5",
    )?;
    let (kind, name) = key.kind.parts();
    statement.execute(params![
        key.instance,
        key.element.unwrap_or(INSTANCE_ITSELF),
        kind,
        name,
        key.occurrence
    ])?;
    Ok(())
}

fn put_incident(db: &mut Statements<'_>, row: &IncidentRow) -> rusqlite::Result<()> {
    let statement = db.get(
        "INSERT OR REPLACE INTO incident (instance, element, tenant, process, node, code, message, raised_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let IncidentRow {
        instance,
        element,
        tenant,
        process,
        node,
        code,
        message,
        raised_at,
    } = row;
    statement.execute(params![
        instance, element, tenant, process, node, code, message, raised_at
    ])?;
    Ok(())
}
