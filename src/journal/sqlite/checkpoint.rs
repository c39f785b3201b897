//! The checkpoint thread: moves the write-ahead log (WAL) into the database file beside the writer, and caps the WAL.
//!
//! A passive checkpoint never waits for the writer nor makes it wait, but while rows keep coming it never reaches the WAL's end,
//! so the WAL would grow for ever. Above the cap the writer is therefore asked to finish the job between two batches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;

use crate::journal::store::StoreError;

/// Pages (4 KiB) in the WAL that are worth a checkpoint: 32 MiB.
const WORTHWHILE: i64 = 8 * 1024;
/// Pages in the WAL above which the writer helps: 224 MiB, leaving room for the batch in flight below the cap of 256 MiB.
const NEARLY_FULL: i64 = 56 * 1024;
/// Bytes of new WAL after which the thread has a look.
const LOOK_EVERY: usize = 4 << 20;
/// How many pages later the writer tries again when readers of old pages, such as a backup, did not let it start the WAL over:
/// 64 MiB, so that commits wait for them rarely, and the WAL grows while they read.
const TRY_AGAIN: i64 = 16 * 1024;
/// How long the writer waits for readers of old pages when it starts the WAL over.
const RESTART_PATIENCE: Duration = Duration::from_millis(50);

/// The handle on the thread, held by the writer's store.
pub(super) struct Checkpointer {
    look: Option<Sender<()>>,
    nearly_full: Arc<AtomicBool>,
    /// Pages in the WAL that count as nearly full.
    full_at: Arc<AtomicI64>,
    thread: Option<JoinHandle<()>>,
    unseen: usize,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own.
    pub fn start(connection: Connection) -> Result<Self, StoreError> {
        let (look, looks) = crossbeam_channel::bounded(1);
        let nearly_full = Arc::new(AtomicBool::new(false));
        let full_at = Arc::new(AtomicI64::new(NEARLY_FULL));
        let (flag, level) = (Arc::clone(&nearly_full), Arc::clone(&full_at));
        let thread = thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || run(&connection, &looks, &flag, &level))
            .map_err(|cause| StoreError::Failed("start the checkpoint thread", Box::new(cause)))?;
        Ok(Self { look: Some(look), nearly_full, full_at, thread: Some(thread), unseen: 0 })
    }

    /// Tells of about `bytes` of new WAL.
    pub fn wrote(&mut self, bytes: usize) {
        self.unseen += bytes;
        if self.unseen >= LOOK_EVERY {
            self.unseen = 0;
            if let Some(look) = &self.look {
                // A full channel means that a look is due already.
                let _ = look.try_send(());
            }
        }
    }

    /// When the WAL is nearly full, moves the rest of it on the writer's own connection, so that the next batch starts it over.
    pub fn restart_if_full(&self, writer: &Connection, patience: Duration) -> rusqlite::Result<()> {
        if !self.nearly_full.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        writer.busy_timeout(RESTART_PATIENCE)?;
        let Checkpoint { blocked, pages, .. } = checkpoint(writer, "RESTART")?;
        self.full_at.store(if blocked { pages.max(NEARLY_FULL) + TRY_AGAIN } else { NEARLY_FULL }, Ordering::Relaxed);
        writer.busy_timeout(patience)
    }

    /// Ends the thread; after this no other connection writes.
    pub fn stop(&mut self) {
        self.look = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("expected the checkpoint thread to end, but it had panicked");
        }
    }
}

fn run(connection: &Connection, looks: &Receiver<()>, nearly_full: &AtomicBool, full_at: &AtomicI64) {
    for () in looks {
        match look(connection) {
            Ok(pages) if pages >= full_at.load(Ordering::Relaxed) => nearly_full.store(true, Ordering::Relaxed),
            Ok(_) => {}
            // The rows are safe in the WAL; a disk that fails for good stops the writer soon enough.
            Err(error) => log::error!("expected to move the write-ahead log into the database, but {error}"),
        }
    }
}

/// Moves the WAL when it is worth it; answers how many pages it holds.
fn look(connection: &Connection) -> rusqlite::Result<i64> {
    let Checkpoint { pages, moved, .. } = checkpoint(connection, "NOOP")?;
    // Above the limit every page counts: what this thread leaves, the writer has to move while commits wait.
    if pages - moved < WORTHWHILE && pages < NEARLY_FULL {
        return Ok(pages);
    }
    Ok(checkpoint(connection, "PASSIVE")?.pages)
}

/// What a checkpoint came to.
struct Checkpoint {
    /// Whether readers kept it from its end.
    blocked: bool,
    /// Pages in the WAL; -1 when another checkpoint is running, which is not an error.
    pages: i64,
    /// Pages of them moved, or -1.
    moved: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Checkpoint> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Checkpoint { blocked: row.get(0)?, pages: row.get(1)?, moved: row.get(2)? })
    })
}
