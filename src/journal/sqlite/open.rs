//! Opening a data directory: the lock, the file, its settings, the tables. Not here: what is
//! written (see `write`).

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig};
use uuid::Uuid;

use super::{
    checkpoint::{Checkpointer, KEPT_FILE, Pace},
    failed,
    read::SqliteReader,
    schema,
};
use crate::journal::{directory, store::StoreError};

/// Older libraries can lose commits when the write-ahead log starts over.
const OLDEST_SAFE_SQLITE: i32 = 3_051_003;
/// Name of the database in the data directory.
pub const DATABASE: &str = "stepwire.db";
/// Where users' files lie beside it.
const FILES: &str = "files";
/// How long a connection waits for another one of this process.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of a server waits for a backup that reads the write-ahead log.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The store in a data directory; at most one per directory, in all processes.
pub struct SqliteStore {
    pub(super) connection: Connection,
    pub(super) epoch: i64,
    pub(super) last_pos: i64,
    pub(super) checkpointer: Checkpointer,
    path: PathBuf,
    /// Declared last, so it is given back after the file is closed.
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `dir`, creating what is missing, and holds the directory's lock until
    /// dropped. [`StoreError::InUse`] when another server has it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, Pace::default())
    }

    /// As [`Self::open`]; the write-ahead log is looked after at this pace.
    pub(super) fn open_with(dir: &Path, pace: Pace) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST_SAFE_SQLITE {
            let version = rusqlite::version();
            return Err(StoreError::Unreadable(format!(
                "SQLite {version} can lose commits: build with 3.51.3 or newer"
            )));
        }
        let lock = lock(dir)?;
        let path = dir.join(DATABASE);
        require_whole(dir, &path)?;
        let mut connection = connect(&path, OpenFlags::default())?;
        settle(&connection).map_err(failed("set up the database file"))?;
        schema::migrate(&mut connection)?;
        let epoch = next_epoch(&connection).map_err(failed("count this opening"))?;
        let last_pos = connection
            .query_row("SELECT coalesce(max(pos), 0) FROM log", [], |row| {
                row.get(0)
            })
            .map_err(failed("find the log's end"))?;
        let checkpointer = Checkpointer::start(connect(&path, OpenFlags::default())?, pace)?;
        Ok(Self {
            connection,
            epoch,
            last_pos,
            checkpointer,
            path,
            _lock: lock,
        })
    }

    pub(super) fn open_reader(&self) -> Result<SqliteReader, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(SqliteReader::new(connect(&self.path, flags)?))
    }
}

/// What a store takes on disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// The database file.
    pub database: u64,
    /// The write-ahead log beside it.
    pub wal: u64,
}

impl DiskUse {
    /// Of the store in a data directory; nothing where there is none.
    pub fn of(dir: &Path) -> Self {
        let size = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len());
        Self {
            database: size(DATABASE),
            wal: size(&format!("{DATABASE}-wal")),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.checkpointer.stop();
        let connection = &self.connection;
        let empty = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = connection
            .busy_timeout(LAST_PATIENCE)
            .and_then(|()| empty())
        {
            log::warn!(
                "expected to empty the write-ahead log at the end, but {error}; the next start \
                does it"
            );
        }
    }
}

/// Creates the directory and takes its lock. The operating system gives a lock back however the
/// process ends. The directory itself is locked: a lock in a file is gone with the file, and a lock
/// on the database's file would be given up with each handle of it.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let file = directory::create(dir)
        .and_then(|()| lockable(dir))
        .map_err(|cause| StoreError::Failed("open the data directory", Box::new(cause)))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(cause)) => Err(StoreError::Failed(
            "lock the data directory",
            Box::new(cause),
        )),
    }
}

/// A directory with users' files and without a database is a damaged one: a new database would know
/// nothing of them.
fn require_whole(dir: &Path, database: &Path) -> Result<(), StoreError> {
    // What uploads under way leave is nobody's yet.
    let is_file_of_instance = |entry: std::fs::DirEntry| entry.file_name() != "incoming";
    let has_files = || {
        std::fs::read_dir(dir.join(FILES))
            .is_ok_and(|entries| entries.flatten().any(is_file_of_instance))
    };
    if database.exists() || !has_files() {
        return Ok(());
    }
    Err(StoreError::Unreadable(format!(
        "{DATABASE} is missing beside {FILES}/, which holds files that instances name: put it \
        back, or restore a backup; to begin anew, take {FILES}/ away"
    )))
}

#[cfg(unix)]
fn lockable(dir: &Path) -> std::io::Result<File> {
    File::open(dir)
}

/// Where directories cannot be opened.
#[cfg(not(unix))]
fn lockable(dir: &Path) -> std::io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("stepwire.lock"))
}

pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        // Else the planner prepares a statement anew whenever values are bound that its statistics
        // might know.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(failed("open the database file"))
}

/// What makes an acknowledged commit survive a power cut; and no checkpoints by the writer, as they
/// have their own thread.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", KEPT_FILE)?;
    // Pages kept in memory, in KiB: enough for the right-hand edges of all trees.
    connection.pragma_update(None, "cache_size", -32_768)
}

fn next_epoch(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "UPDATE meta SET epoch = epoch + 1 RETURNING epoch";
    if let Some(epoch) = connection.query_row(sql, [], |row| row.get(0)).optional()? {
        return Ok(epoch);
    }
    let incarnation = Uuid::now_v7();
    connection.execute(
        "INSERT INTO meta (only_row, incarnation, epoch) VALUES (1, ?1, 1)",
        [incarnation.as_bytes()],
    )?;
    Ok(1)
}
