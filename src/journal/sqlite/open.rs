//! Opens a data directory: its lock, the file, its settings, the tables. Not here: writing
//! (`write`).
//!
//! # Rationale
//!
//! **TCP_NODELAY and stable query plans** (SQLite's QPSG) result from the first profile: the small
//! frames of a commit waited 40 ms for a delayed acknowledgement, and preparing statements again
//! took 11 % of the processor time.

use std::{
    fs::{File, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, MAIN_DB, OpenFlags, OptionalExtension, config::DbConfig};
use uuid::Uuid;

use super::{
    checkpoint::{Checkpointer, KEPT_FILE, Pace},
    failed,
    read::SqliteReader,
    schema,
};
use crate::journal::{damaged::Damaged, directory, store::StoreError};

/// Older libraries can lose commits when the write-ahead log is restarted.
const OLDEST_SAFE_SQLITE: i32 = 3_051_003;
/// Name of the database in the data directory.
pub const DATABASE: &str = "stepwire.db";
/// The directory of users' files beside it.
const FILES: &str = "files";
/// How long a connection waits for another one of this process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server that stops waits for a backup that reads the write-ahead log.
const LAST_BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The store in a data directory; at most one per directory, in all processes.
pub struct SqliteStore {
    pub(super) connection: Connection,
    /// The number of this opening; written with the first commit, so that a directory on a full
    /// disk can be opened.
    pub(super) epoch: i64,
    pub(super) epoch_written: bool,
    pub(super) last_pos: i64,
    pub(super) checkpointer: Checkpointer,
    /// Whether a commit failed with an unknown outcome.
    pub(super) has_failed: bool,
    file: DatabaseFile,
    damaged: Damaged,
    /// Declared last, so that it is released after the file is closed.
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `dir`, creates what is missing, and holds the directory's lock until it
    /// is dropped. [`StoreError::InUse`] if another server has the lock.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, Pace::default())
    }

    /// As [`Self::open`], with this pace of checkpoints.
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
        sync_again(&path).map_err(|cause| {
            StoreError::Failed("write the write-ahead log again", Box::new(cause))
        })?;
        let file = DatabaseFile { path, vfs: None };
        match Self::open_file(file.clone(), pace, &lock) {
            Err(error) if file.path.exists() && has_no_room_for_index(&error) => {
                log::warn!(
                    "the disk has no room for the index of the write-ahead log: it is kept in \
                    memory until the next start, and no backup can be made meanwhile"
                );
                let vfs = Some(PROCESS_OWN_INDEX);
                Self::open_file(DatabaseFile { vfs, ..file }, pace, &lock)
            }
            opened => opened,
        }
    }

    fn open_file(file: DatabaseFile, pace: Pace, lock: &File) -> Result<Self, StoreError> {
        let mut connection = file.connect(OpenFlags::default())?;
        require_writable(&connection, &file.path)?;
        settle(&connection).map_err(failed("set up the database file"))?;
        schema::migrate(&mut connection)?;
        let epoch = next_epoch(&connection).map_err(failed("count this opening"))?;
        let last_pos = connection
            .query_row("SELECT coalesce(max(pos), 0) FROM log", [], |row| {
                row.get(0)
            })
            .map_err(failed("find the log's end"))?;
        let checkpointer = Checkpointer::start(file.connect(OpenFlags::default())?, pace)?;
        let lock = lock
            .try_clone()
            .map_err(|cause| StoreError::Failed("keep the lock", Box::new(cause)))?;
        Ok(Self {
            connection,
            epoch,
            epoch_written: false,
            last_pos,
            checkpointer,
            has_failed: false,
            file,
            damaged: Damaged::default(),
            _lock: lock,
        })
    }

    pub(super) fn open_reader(&self) -> Result<SqliteReader, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(SqliteReader::new(
            self.file.connect(flags)?,
            self.damaged.clone(),
        ))
    }
}

/// A variant of the file system interface that keeps the index of the write-ahead log in the memory
/// of this process, which has the database for itself. Every connection to a file has to use the
/// same variant.
pub(super) const PROCESS_OWN_INDEX: &str = "unix-excl";

/// The database file, and the interface used for it.
#[derive(Clone)]
struct DatabaseFile {
    path: PathBuf,
    vfs: Option<&'static str>,
}

impl DatabaseFile {
    fn connect(&self, flags: OpenFlags) -> Result<Connection, StoreError> {
        connect_by(&self.path, flags, self.vfs)
    }
}

/// Whether an existing database cannot be opened because there is no space for a few pages.
fn has_no_room_for_index(error: &StoreError) -> bool {
    use rusqlite::ffi::{SQLITE_CANTOPEN, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE};
    let extended_code = |cause: &(dyn std::error::Error + Send + Sync + 'static)| {
        let cause = cause.downcast_ref::<rusqlite::Error>()?;
        cause.sqlite_error().map(|error| error.extended_code)
    };
    match error {
        StoreError::NoRoom(_) => cfg!(unix),
        StoreError::Failed(_, cause) => {
            let codes = [SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHMOPEN, SQLITE_CANTOPEN];
            cfg!(unix) && extended_code(cause.as_ref()).is_some_and(|code| codes.contains(&code))
        }
        _ => false,
    }
}

/// Writes the write-ahead log of an earlier server again, byte for byte in place, and syncs it.
///
/// After a failed sync the operating system may have in memory what the disk does not have, and
/// believe it written: then this server would read it and answer by it, and lose it at a power
/// failure. Writing it again makes it certain. This needs no space, so it works on a full disk; if
/// the file system needs space nevertheless, the log is used as it is.
fn sync_again(database: &Path) -> std::io::Result<()> {
    let mut wal = database.as_os_str().to_owned();
    wal.push("-wal");
    let mut file = match File::options().read(true).write(true).open(&wal) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return file.sync_all();
        }
        file.seek_relative(-(read as i64))?;
        match file.write_all(&chunk[..read]) {
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                log::warn!("the write-ahead log is taken as it is: {error}");
                return Ok(());
            }
            written => written?,
        }
    }
}

/// The size of a store on disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// The database file.
    pub database: u64,
    /// The write-ahead log beside it.
    pub wal: u64,
}

impl DiskUse {
    /// The size of the store in a data directory; 0 if there is none.
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
        if self.has_failed {
            // The next start finds out the state of the disk.
            return;
        }
        let connection = &self.connection;
        let empty = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = connection
            .busy_timeout(LAST_BUSY_TIMEOUT)
            .and_then(|()| empty())
        {
            log::warn!(
                "expected to empty the write-ahead log at the end, but {error}; the next start \
                does it"
            );
        }
    }
}

/// Creates the directory and locks it. The operating system releases the lock however the process
/// ends. The lock is on the directory itself: a lock on a separate file would disappear with the
/// file, and a lock on the database file would be released whenever one of its handles is closed.
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

/// If the permissions of a file forbid writing, the library silently opens it for reading only.
fn require_writable(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let read_only = connection.is_readonly(MAIN_DB);
    match read_only.map_err(failed("ask whether the database may be written"))? {
        true => Err(StoreError::ReadOnly(file.to_owned())),
        false => Ok(()),
    }
}

/// A directory with users' files or a write-ahead log but without a database is damaged: a new
/// database would not contain them.
fn require_whole(dir: &Path, database: &Path) -> Result<(), StoreError> {
    let Some((state, beside)) = what_lacks_its_database(dir, database) else {
        return Ok(());
    };
    let holds = match beside {
        Beside::Files => "files that instances name",
        Beside::Wal => "what was written last",
    };
    let name = beside.name();
    Err(StoreError::Unreadable(format!(
        "{DATABASE} is {state} beside {name}, which holds {holds}: put it back, or restore a backup; \
        to start over, take {name} away ('stepwire doctor' looks at the directory)"
    )))
}

/// A remainder of a missing database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Beside {
    /// Files of instances.
    Files,
    /// A write-ahead log.
    Wal,
}

impl Beside {
    /// Its name in the directory.
    pub(super) fn name(self) -> String {
        match self {
            Self::Files => format!("{FILES}/"),
            Self::Wal => format!("{DATABASE}-wal"),
        }
    }
}

/// Whether the database is missing or empty although something is left of it, and what. A new
/// database writes its first bytes before anything else exists beside it.
pub(super) fn what_lacks_its_database(
    dir: &Path,
    database: &Path,
) -> Option<(&'static str, Beside)> {
    let size = |path: &Path| std::fs::metadata(path).map(|file| file.len()).ok();
    let state = match size(database) {
        None => "missing",
        Some(0) => "empty",
        Some(_) => return None,
    };
    // Uploads in progress belong to no instance yet.
    let is_file_of_instance = |entry: std::fs::DirEntry| entry.file_name() != "incoming";
    let has_files = std::fs::read_dir(dir.join(FILES))
        .is_ok_and(|entries| entries.flatten().any(is_file_of_instance));
    let has_wal = size(&dir.join(Beside::Wal.name())).is_some_and(|bytes| bytes > 0);
    let left = [(has_wal, Beside::Wal), (has_files, Beside::Files)];
    let (_, beside) = left.into_iter().find(|(is_there, _)| *is_there)?;
    Some((state, beside))
}

#[cfg(unix)]
pub(super) fn lockable(dir: &Path) -> std::io::Result<File> {
    File::open(dir)
}

/// On systems where directories cannot be opened.
#[cfg(not(unix))]
pub(super) fn lockable(dir: &Path) -> std::io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("stepwire.lock"))
}

pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    connect_by(path, flags, None)
}

pub(super) fn connect_by(
    path: &Path,
    flags: OpenFlags,
    vfs: Option<&str>,
) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = match vfs {
            None => Connection::open_with_flags(path, flags)?,
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Otherwise the planner prepares a statement again whenever values are bound for which it
        // might have statistics.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(failed("open the database file"))
}

/// The settings by which an acknowledged commit survives a power failure, and by which the writer
/// makes no checkpoints, which have their own thread.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages == 0 {
        // Retention can then return free pages to the system; this has to be the first setting of a
        // new file.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", KEPT_FILE)?;
    // Pages kept in memory, in KiB: enough for the right-hand edges of all trees.
    connection.pragma_update(None, "cache_size", -32_768)
}

/// The number of this opening. A new database gets its identity here.
fn next_epoch(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT epoch + 1 FROM meta";
    if let Some(epoch) = connection.query_row(sql, [], |row| row.get(0)).optional()? {
        return Ok(epoch);
    }
    let incarnation = Uuid::now_v7();
    connection.execute(
        "INSERT INTO meta (only_row, incarnation, epoch) VALUES (1, ?1, 0)",
        [incarnation.as_bytes()],
    )?;
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_may_only_be_read_is_refused_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(DATABASE);
        let written = connect(&file, OpenFlags::default()).unwrap();
        written.execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(require_writable(&written, &file).is_ok());
        let read = connect(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let refused = require_writable(&read, &file).unwrap_err().to_string();
        assert!(
            refused.contains(&file.display().to_string()) && refused.contains("is read-only"),
            "{refused}"
        );
    }
}
