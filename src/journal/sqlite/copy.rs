//! Copies of the database: made beside a running server at one point in time, and read without
//! changing them.
//!
//! The copy is made through one read transaction, so it has the state of its beginning, whatever is
//! committed meanwhile. The writer never waits for it; but the write-ahead log cannot be restarted
//! and grows until the copy is complete. So pages are copied in steps, each followed by a pause of
//! the same length: half of the disk's time is left to the server.
//!
//! Not here: what else belongs to a copy of a data directory (`backup`).
//!
//! # Rationale
//!
//! **A copy is one read transaction of another process**: the writer never waits for it, but the
//! write-ahead log grows meanwhile.

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    params,
};
use uuid::Uuid;

use super::{counts, failed, open::connect, read::SqliteReader, schema, values::Seq};
use crate::journal::{
    damaged::Damaged,
    row::Entity,
    store::{StoreError, StoreReader},
};

/// Pages (4 KiB) copied at a time.
const STEP: i32 = 1024;
/// How often a step may find the file locked before the copy is given up.
const LOCKED_TRIES: u32 = 100;
/// The pause before a locked file is tried again.
const LOCKED_PAUSE: Duration = Duration::from_millis(100);

/// The contents of a database, as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Version of the schema.
    pub schema: u32,
    /// Identity of its log.
    pub incarnation: Uuid,
    /// Position of the last row.
    pub last_pos: u64,
    /// Rows of the log, including compressed ones.
    pub rows: u64,
    /// Instances.
    pub instances: u64,
    /// Versions of definitions.
    pub definitions: u64,
    /// Users, including removed ones.
    pub users: u64,
}

/// Copies a database to a new file, whether or not a server runs on it. `progress` receives the
/// copied pages and all pages.
///
/// # Errors
/// A database that cannot be read, or a full disk.
pub fn copy_database(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Facts, StoreError> {
    let source = connect(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    source
        .execute_batch("BEGIN")
        .map_err(failed("begin to read the database"))?;
    // The first read fixes the moment of the copy.
    schema::version(&source)?;
    let mut target = connect(to, OpenFlags::default())?;
    // An incomplete copy is discarded, and the caller syncs a complete one.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(failed("set up the copy"))?;
    copy_pages(&source, &mut target, progress)?;
    source
        .execute_batch("COMMIT")
        .map_err(failed("end reading the database"))?;
    // The counts beside the rows are correct in a copy, whatever they were before.
    counts::recount(&target).map_err(failed("count what the copy holds"))?;
    facts(&target)
}

fn copy_pages(
    source: &Connection,
    target: &mut Connection,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), StoreError> {
    let backup = Backup::new(source, target).map_err(failed("begin a copy of the database"))?;
    let mut locked = 0;
    loop {
        let began = Instant::now();
        let step = backup.step(STEP).map_err(failed("copy the database"))?;
        let copied = backup.progress();
        let all = u64::try_from(copied.pagecount).unwrap_or_default();
        progress(
            all.saturating_sub(u64::try_from(copied.remaining).unwrap_or_default()),
            all,
        );
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => sleep(began.elapsed()),
            _ if locked < LOCKED_TRIES => {
                locked += 1;
                sleep(LOCKED_PAUSE);
            }
            _ => {
                return Err(StoreError::Unreadable(
                    "the database is locked by another program: end that".to_owned(),
                ));
            }
        }
    }
}

fn facts(connection: &Connection) -> Result<Facts, StoreError> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get(0).map(|Seq(count)| count));
    let read = || -> rusqlite::Result<Facts> {
        Ok(Facts {
            schema: 0,
            incarnation: connection.query_row("SELECT incarnation FROM meta", [], |row| {
                row.get(0).map(Uuid::from_bytes)
            })?,
            last_pos: count("SELECT coalesce(max(pos), 0) FROM log")?,
            rows: count(
                "SELECT (SELECT count(*) FROM log) + (SELECT coalesce(sum(rows), 0) FROM history)",
            )?,
            instances: count("SELECT count(*) FROM instance")?,
            definitions: count("SELECT count(*) FROM definition")?,
            users: count("SELECT count(*) FROM user")?,
        })
    };
    let schema = schema::version(connection)?;
    Ok(Facts {
        schema,
        ..read().map_err(failed("count what the database holds"))?
    })
}

/// A database file that nobody writes to.
pub struct CopiedDatabase {
    pub(super) reader: SqliteReader,
}

impl CopiedDatabase {
    /// Opens it for reading; nothing is written, not even beside it.
    ///
    /// # Errors
    /// A file that is no database, or one of a newer program.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::connected(immutable(file)?)
    }

    pub(super) fn connected(connection: Connection) -> Result<Self, StoreError> {
        schema::version(&connection)?;
        Ok(Self {
            reader: SqliteReader::new(connection, Damaged::quiet()),
        })
    }

    /// A reader of its contents.
    pub fn reader(&self) -> &dyn StoreReader {
        &self.reader
    }

    /// Counts its contents.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn facts(&self) -> Result<Facts, StoreError> {
        facts(&self.reader.connection)
    }

    /// The errors that the library's own check finds in the file, at most `limit`; empty if there
    /// are none.
    ///
    /// # Errors
    /// A file that cannot even be checked.
    pub fn damage(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let found = || -> rusqlite::Result<Vec<String>> {
            let sql = format!("PRAGMA integrity_check({limit})");
            let mut statement = self.reader.connection.prepare(&sql)?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        let mut found: Vec<String> = found().map_err(failed("check the database"))?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Entities of the log after this one, in order, without those of unknown kinds.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn entities_after(
        &self,
        after: Option<Entity>,
        limit: u32,
    ) -> Result<Vec<Entity>, StoreError> {
        let after = after.map_or(Vec::new(), |entity| entity.to_bytes().to_vec());
        let read = || -> rusqlite::Result<Vec<Option<Entity>>> {
            let mut statement = self.reader.connection.prepare_cached(
                "SELECT entity FROM log WHERE entity > ?1
                 UNION SELECT entity FROM history WHERE entity > ?1 ORDER BY entity LIMIT ?2",
            )?;
            statement
                .query_map(params![after, limit], |row| {
                    row.get(0).map(Entity::from_bytes)
                })?
                .collect()
        };
        Ok(read()
            .map_err(failed("read the entities of the log"))?
            .into_iter()
            .flatten()
            .collect())
    }

    /// Entities whose rows have gaps, at most `limit`, each with the missing number; empty if the
    /// log is dense.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn gaps(&self, limit: u32) -> Result<Vec<(Uuid, u64)>, StoreError> {
        let sql = "SELECT entity, before + 1 FROM (
                SELECT entity, first_seq, lag(last_seq, 1, 0) OVER (PARTITION BY entity ORDER BY first_seq) AS before FROM
                    (SELECT entity, first_seq, last_seq FROM log
                     UNION ALL SELECT entity, first_seq, last_seq FROM history)
            ) WHERE first_seq <> before + 1 LIMIT ?1 /*whole: it is examined*/";
        self.reader.list(sql, [limit], |row| {
            let (entity, Seq(missing)) = (row.get::<_, Vec<u8>>(0)?, row.get(1)?);
            Ok((key_in(&entity), missing))
        })
    }

    /// Gives the log of a database file a new identity, so that offsets of clients in the former
    /// one are no longer valid.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn renew(file: &Path) -> Result<Uuid, StoreError> {
        let connection = connect(file, OpenFlags::default())?;
        let incarnation = Uuid::now_v7();
        let write = || -> rusqlite::Result<()> {
            connection.pragma_update(None, "journal_mode", "DELETE")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection
                .execute("UPDATE meta SET incarnation = ?1", [incarnation.as_bytes()])
                .map(drop)
        };
        write().map_err(failed("give the log a new identity"))?;
        Ok(incarnation)
    }
}

/// The key in the stored form of an entity.
pub(super) fn key_in(entity: &[u8]) -> Uuid {
    Uuid::from_slice(entity.get(1..).unwrap_or_default()).unwrap_or_default()
}

/// Opens a file that nobody writes to, and has no write-ahead log: nothing is written beside it.
pub(super) fn immutable(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", uri_path(file));
    connect(Path::new(&uri), flags)
}

/// A path as a part of a URI, with special characters escaped.
fn uri_path(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes
        .iter()
        .map(|byte| {
            if plain(byte) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
