//! Queries for a data directory that may be damaged: each row by itself, and rows that belong to
//! nothing. Nothing is changed, not even beside the database. Not here: the caller, and the meaning
//! of the results (`backup::doctor`).

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use uuid::Uuid;

use super::{
    copy::{CopiedDatabase, immutable, key_in},
    failed,
    open::{self, Beside, DATABASE, PROCESS_OWN_INDEX, connect_by},
};
use crate::journal::{damaged::Damaged, store::StoreError};

/// A data directory under examination. Meanwhile no server can start on it, unless one runs
/// already.
pub struct Examined {
    /// Its database.
    pub database: CopiedDatabase,
    /// Whether a server runs on it: then the contents are those of one moment.
    pub is_running: bool,
    /// Declared last, so that it is released after the file is closed.
    _lock: File,
}

/// A row of an instance that has ended or does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its kind, for example `a timer`.
    pub what: String,
    /// The instance.
    pub instance: Uuid,
}

impl Examined {
    /// Opens the database of a data directory for reading.
    ///
    /// # Errors
    /// A database that is missing, empty, invalid, or of a newer program.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let cannot_lock = |cause| StoreError::Failed("lock the data directory", Box::new(cause));
        let lock = open::lockable(dir).map_err(cannot_lock)?;
        let is_running = match lock.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(cause)) => return Err(cannot_lock(cause)),
        };
        let file = dir.join(DATABASE);
        if let Some(lacking) = lacking(dir, &file) {
            return Err(StoreError::Unreadable(lacking));
        }
        let wal = std::fs::metadata(dir.join(Beside::Wal.name()));
        let has_wal = wal.is_ok_and(|wal| wal.len() > 0);
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match (is_running, has_wal) {
            (true, _) => connect_by(&file, read_only, None)?,
            (false, false) => immutable(&file)?,
            (false, true) => with_log(&file)?,
        };
        let begin = || {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            connection.execute_batch("PRAGMA query_only = 1; BEGIN")
        };
        begin().map_err(failed("begin to read the database"))?;
        Ok(Self {
            database: CopiedDatabase::connected(connection)?,
            is_running,
            _lock: lock,
        })
    }
}

/// Opens a database with a write-ahead log, whose index is kept in memory. The library does that
/// only for a connection that could write.
fn with_log(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect_by(file, flags, cfg!(unix).then_some(PROCESS_OWN_INDEX))
}

fn lacking(dir: &Path, file: &Path) -> Option<String> {
    if let Some((state, beside)) = open::what_lacks_its_database(dir, file) {
        return Some(format!("{DATABASE} is {state} beside {}", beside.name()));
    }
    (!file.exists()).then(|| format!("{DATABASE} is missing: no server has run on this directory"))
}

impl CopiedDatabase {
    /// The rows that were left out so far.
    pub fn damaged(&self) -> &Damaged {
        &self.reader.damaged
    }

    /// Reads every row of the tables beside the log, so that those that cannot be read are
    /// recorded.
    ///
    /// # Errors
    /// A table that cannot be read at all.
    pub fn read_all_tables(&self) -> Result<(), StoreError> {
        self.reader.read_every_table()
    }

    /// A sentence for each count that differs from the rows, at most `limit` of either kind.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn miscounts(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        self.reader.miscounts(limit)
    }

    /// Rows of instances that have ended or do not exist.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn orphans(&self, limit: u32) -> Result<Vec<Orphan>, StoreError> {
        let live = "SELECT key FROM instance WHERE ended_at IS NULL";
        // A finished instance may still expire, and have calls and messages in progress.
        let any = "SELECT key FROM instance";
        let sql = format!(
            "SELECT 'a task', instance FROM task WHERE instance NOT IN ({live})
             UNION ALL SELECT 'a timer', instance FROM timer WHERE instance NOT IN ({any})
             UNION ALL SELECT 'an incident', instance FROM incident WHERE instance NOT IN ({any})
             UNION ALL SELECT 'a call to another system', instance FROM http_call WHERE instance NOT IN ({any})
             UNION ALL SELECT 'a job', instance FROM job WHERE instance NOT IN ({any})
             UNION ALL SELECT 'a message', substr(source, 2) FROM outbox
                 WHERE substr(source, 1, 1) = X'01' AND substr(source, 2) NOT IN ({any})
             UNION ALL SELECT 'a snapshot', substr(entity, 2) FROM snapshot
                 WHERE substr(entity, 1, 1) = X'01' AND substr(entity, 2) NOT IN ({any})
             UNION ALL SELECT 'a line of the list of instances', key FROM instance
                 WHERE NOT EXISTS (SELECT 1 FROM log WHERE entity = CAST(X'01' || key AS BLOB))
                   AND NOT EXISTS (SELECT 1 FROM history WHERE entity = CAST(X'01' || key AS BLOB))
             UNION ALL SELECT 'packed rows', substr(entity, 2) FROM history
                 WHERE substr(entity, 2) NOT IN ({any})
             LIMIT ?1 /*whole: it is examined*/"
        );
        self.reader.list(&sql, [limit], |row| {
            let key: Vec<u8> = row.get(1)?;
            Ok(Orphan {
                what: row.get(0)?,
                instance: Uuid::from_slice(&key).unwrap_or_else(|_| key_in(&key)),
            })
        })
    }
}
