//! The checkpoint thread: moves the write-ahead log (WAL) into the database file beside the writer,
//! and limits its size.
//!
//! A passive checkpoint never waits for the writer nor delays it, but while rows arrive it never
//! reaches the end of the WAL, so the WAL would grow forever. Above a limit the writer is therefore
//! asked to finish the checkpoint between two batches.
//!
//! When the WAL is restarted its file stays as large as it was. Once few rows arrive, the thread
//! truncates it, if everything in it has been moved and nobody reads it; that delays the writer
//! only as long as a truncation takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::{Connection, ErrorCode};

use super::open::BUSY_TIMEOUT;
use crate::{journal::store::StoreError, thread_priority::leave_a_core};

/// Pages (4 KiB) in the WAL from which a checkpoint is worthwhile: 16 MiB, because commits wait for
/// the disk while it is synced.
const WORTHWHILE: i64 = 4 * 1024;
/// Pages in the WAL above which the writer helps: 224 MiB, which leaves room for the batch in
/// flight below the limit of 256 MiB.
const NEARLY_FULL: i64 = 56 * 1024;
/// Bytes to which the WAL's file is cut when the WAL is restarted and a reader had let it grow
/// beyond: the size of a nearly full one.
pub(super) const KEPT_FILE: i64 = NEARLY_FULL * 4096;
/// Pages that may be left for the writer to move when the WAL is restarted: 2 MiB.
const LEFT_TO_WRITER: i64 = 512;
/// How often the thread tries to leave no more than that.
const PASSES: u32 = 8;
/// How many pages later the writer tries again, if readers of old pages, such as a backup, did not
/// let it restart the WAL: 64 MiB, so that commits seldom wait for them. The WAL grows while
/// they read.
const TRY_AGAIN: i64 = 16 * 1024;
/// How long the writer waits for readers of old pages when it restarts the WAL.
const RESTART_TIMEOUT: Duration = Duration::from_millis(50);

/// When the thread checks the WAL.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Bytes of new WAL after which it checks.
    pub check_every: usize,
    /// After this long without a check few rows arrive, and the file is truncated.
    pub quiet: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            check_every: 4 << 20,
            quiet: Duration::from_secs(5),
        }
    }
}

/// The handle of the thread, owned by the writer's store.
pub(super) struct Checkpointer {
    wake: Option<Sender<()>>,
    nearly_full: Arc<AtomicBool>,
    /// Pages in the WAL that count as nearly full.
    full_at: Arc<AtomicI64>,
    thread: Option<JoinHandle<()>>,
    pace: Pace,
    unseen: usize,
}

impl Checkpointer {
    /// Starts the thread with a connection of its own.
    pub fn start(connection: Connection, pace: Pace) -> Result<Self, StoreError> {
        let (wake, wakes) = crossbeam_channel::bounded(1);
        let nearly_full = Arc::new(AtomicBool::new(false));
        let full_at = Arc::new(AtomicI64::new(NEARLY_FULL));
        let (flag, level) = (Arc::clone(&nearly_full), Arc::clone(&full_at));
        let thread = thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || {
                leave_a_core();
                run(&connection, &wakes, pace.quiet, &flag, &level);
            })
            .map_err(|cause| StoreError::Failed("start the checkpoint thread", Box::new(cause)))?;
        Ok(Self {
            wake: Some(wake),
            nearly_full,
            full_at,
            thread: Some(thread),
            pace,
            unseen: 0,
        })
    }

    /// Reports about `bytes` of new WAL.
    pub fn wrote(&mut self, bytes: usize) {
        self.unseen += bytes;
        if self.unseen >= self.pace.check_every {
            self.unseen = 0;
            if let Some(wake) = &self.wake {
                // If the channel is full, a check is due already.
                let _ = wake.try_send(());
            }
        }
    }

    /// When the WAL is nearly full, moves the rest of it on the writer's own connection, so that
    /// the next batch restarts it.
    pub fn restart_if_full(&self, writer: &Connection, timeout: Duration) -> rusqlite::Result<()> {
        if !self.nearly_full.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        writer.busy_timeout(RESTART_TIMEOUT)?;
        let restarted = checkpoint(writer, "RESTART");
        writer.busy_timeout(timeout)?;
        let full_at = match restarted {
            Ok(Checkpoint { blocked: false, .. }) => NEARLY_FULL,
            Ok(Checkpoint { pages, .. }) => pages.max(NEARLY_FULL) + TRY_AGAIN,
            // The database cannot grow now; the rows are safe in the WAL meanwhile.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                self.full_at.load(Ordering::Relaxed) + TRY_AGAIN
            }
            Err(error) => return Err(error),
        };
        self.full_at.store(full_at, Ordering::Relaxed);
        Ok(())
    }

    /// Ends the thread; after this no other connection writes.
    pub fn stop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("expected the checkpoint thread to end, but it had panicked");
        }
    }
}

fn run(
    connection: &Connection,
    wakes: &Receiver<()>,
    quiet: Duration,
    nearly_full: &AtomicBool,
    full_at: &AtomicI64,
) {
    // A killed server may have left a large WAL.
    let mut may_be_large = true;
    let mut has_failed = false;
    loop {
        let checked = match if may_be_large {
            wakes.recv_timeout(quiet)
        } else {
            wakes.recv().map_err(RecvTimeoutError::from)
        } {
            Ok(()) => {
                may_be_large = true;
                check(connection).map(|pages| {
                    if pages >= full_at.load(Ordering::Relaxed) {
                        nearly_full.store(true, Ordering::Relaxed);
                    }
                })
            }
            Err(RecvTimeoutError::Timeout) => {
                truncate(connection).map(|is_empty| may_be_large = !is_empty)
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match checked {
            // The rows are safe in the WAL; a disk that fails permanently soon stops the writer. A
            // full disk may stay full for hours, so it is reported once.
            Err(error) if !has_failed => {
                log::error!("expected to move the write-ahead log into the database, but {error}");
                has_failed = true;
            }
            Err(_) => {}
            Ok(()) => has_failed = false,
        }
    }
}

/// Empties the WAL and its file, unless a reader needs it or more rows arrive meanwhile; returns
/// whether it did.
fn truncate(connection: &Connection) -> rusqlite::Result<bool> {
    // First without delaying anybody, so that little is left to do while the writer has to wait.
    let Checkpoint { pages, moved, .. } = checkpoint(connection, "PASSIVE")?;
    if moved < pages {
        return Ok(false);
    }
    // Waiting for a reader here would make the writer wait, too.
    connection.busy_timeout(Duration::ZERO)?;
    let truncated = checkpoint(connection, "TRUNCATE");
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(!truncated?.blocked)
}

/// Moves the WAL if that is worthwhile; returns the number of its pages.
fn check(connection: &Connection) -> rusqlite::Result<i64> {
    let Checkpoint { pages, moved, .. } = checkpoint(connection, "NOOP")?;
    if pages - moved < WORTHWHILE && pages < NEARLY_FULL {
        return Ok(pages);
    }
    let mut after = checkpoint(connection, "PASSIVE")?;
    // Above the limit every page counts: what this thread leaves, the writer has to move while
    // commits wait. Each pass moves only what arrived during the previous one.
    for _ in 0..PASSES {
        if after.pages < NEARLY_FULL || after.pages - after.moved <= LEFT_TO_WRITER {
            break;
        }
        after = checkpoint(connection, "PASSIVE")?;
    }
    Ok(after.pages)
}

/// The result of a checkpoint.
struct Checkpoint {
    /// Whether readers prevented its completion.
    blocked: bool,
    /// Pages in the WAL; -1 when another checkpoint is running, which is not an error.
    pages: i64,
    /// Pages of them moved, or -1.
    moved: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Checkpoint> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Checkpoint {
            blocked: row.get(0)?,
            pages: row.get(1)?,
            moved: row.get(2)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, thread::yield_now};

    use rusqlite::{Connection, OpenFlags};

    use super::*;
    use crate::journal::{
        DATABASE, SqliteStore, Store,
        sqlite::open::connect,
        tests::fixtures::{append, key},
    };

    fn wal(dir: &Path) -> u64 {
        fs::metadata(dir.join(format!("{DATABASE}-wal"))).map_or(0, |file| file.len())
    }

    /// A store that has written for a while, whose thread truncates after `quiet`, and another
    /// connection to its file.
    fn written(dir: &Path, quiet: Duration) -> (SqliteStore, Connection) {
        let mut store = SqliteStore::open_with(
            dir,
            Pace {
                check_every: 1,
                quiet,
            },
        )
        .unwrap();
        (1..=200).for_each(|seq| store.commit(&[append(1, seq, seq)]).unwrap());
        (
            store,
            connect(&dir.join(DATABASE), OpenFlags::default()).unwrap(),
        )
    }

    const NEVER: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn a_log_without_readers_is_truncated() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, connection) = written(dir.path(), NEVER);
        assert!(wal(dir.path()) > 100 * 4096);
        assert!(truncate(&connection).unwrap());
        assert_eq!(wal(dir.path()), 0);
        store.commit(&[append(1, 201, 201)]).unwrap();
        let rows = store
            .reader()
            .unwrap()
            .rows(key(1).into(), 0, usize::MAX)
            .unwrap();
        assert_eq!(rows.len(), 201);
    }

    #[test]
    fn a_log_in_use_by_a_reader_is_kept_and_delays_no_writer() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, connection) = written(dir.path(), NEVER);
        let reader = connect(&dir.path().join(DATABASE), OpenFlags::default()).unwrap();
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM log;")
            .unwrap();
        // If it waited, this would end later, not at once.
        assert!(!truncate(&connection).unwrap());
        store.commit(&[append(1, 201, 201)]).unwrap();
        assert!(wal(dir.path()) > 0);
        reader.execute_batch("COMMIT").unwrap();
        assert!(truncate(&connection).unwrap());
        assert_eq!(wal(dir.path()), 0);
    }

    #[test]
    fn the_thread_truncates_when_few_rows_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, _) = written(dir.path(), Duration::from_millis(1));
        while wal(dir.path()) > 0 {
            yield_now();
        }
    }

    #[test]
    fn a_large_log_of_a_killed_server_is_truncated_too() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = written(dir.path(), NEVER);
        let copy = tempfile::tempdir().unwrap();
        for name in [DATABASE.to_owned(), format!("{DATABASE}-wal")] {
            fs::copy(dir.path().join(&name), copy.path().join(&name)).unwrap();
        }
        drop(store);
        assert!(wal(copy.path()) > 0);
        let _store = SqliteStore::open_with(
            copy.path(),
            Pace {
                check_every: usize::MAX,
                quiet: Duration::ZERO,
            },
        )
        .unwrap();
        while wal(copy.path()) > 0 {
            yield_now();
        }
    }
}
