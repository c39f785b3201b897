//! Retention: compresses instances some time after they have ended, and deletes them after a longer
//! time; also deletes entities of messages and signals that are no longer needed (`correlations`).
//!
//! A pass goes through all instances, the oldest first, a turn at a time. A turn reads a few of
//! them beside the lists (`plan`), hands one write to the writer, and rests nine times as long as
//! it worked, so that users do not notice it. Compressed rows are read like others. Deletion
//! removes a whole tree, once no instance in it is live or has ended too recently; trees with an
//! instance that is in memory, is followed, or has something in progress are left to the next pass.
//!
//! Free pages of the database are used again; those beyond a quarter of the file are returned to
//! the system after each pass, a MiB at a time.
//!
//! Everything stored of an instance is deleted in one transaction, which records its files; the
//! files are removed after it, and again after a crash in between. Not here: how rows are
//! compressed (`journal::history`).
//!
//! # Rationale
//!
//! **No index finds what is old.** It would be written at each start and end. A pass reads all rows
//! of the list of instances instead, which takes a few microseconds each, in the background.
//!
//! **A quarter stays free**, because pages that are returned and taken again are written twice.

mod correlations;
mod plan;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use uuid::Uuid;

use self::plan::RetentionPlan;
use super::{QUEUE_AGAIN, Runtime};
use crate::{
    journal::{AgedCursor, Busy, DroppedInstance, HistoryChange, StoreError, WriteOp, Written},
    limits::{self, Retention},
    meters::meters,
    model::ids::{InstanceKey, Time},
};

/// A pass works one part in this many of the time.
const DUTY: u32 = 10;
/// The shortest rest between two turns.
const LEAST_REST: Duration = Duration::from_millis(10);
/// The pause between passes is at least this many times as long as the last one worked.
const PASSES_APART: u32 = 20;
/// How long a turn waits while users keep the writer busy.
const USERS_FIRST: Duration = Duration::from_millis(250);
/// One part in this many of the database may stay free.
const FREE_PART: u64 = 4;
/// Files removed at a time.
const FILES: usize = 256;

/// The times before which an instance has to have ended.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    archive: Option<Time>,
    drop: Option<Time>,
}

impl Bounds {
    fn at(now: Time, retention: Retention) -> Self {
        let before = |after: Duration| {
            let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
            Time(now.0.saturating_sub(after))
        };
        Self {
            archive: retention.archive_after.map(before),
            drop: retention.drop_after.map(before),
        }
    }
}

/// The results of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassSummary {
    /// Rows that were compressed.
    pub packed: u64,
    /// Instances that were deleted.
    pub dropped: u64,
    /// Entities of messages and signals that were deleted.
    pub correlations: u64,
    /// Bytes of the database that were returned to the system.
    pub given_back: u64,
    /// The total time of its turns.
    worked: Duration,
}

/// How many bytes of a database of this size may stay free.
fn kept_free(database: u64) -> u64 {
    (database / FREE_PART).max(limits::DATABASE_FREE_BYTES)
}

/// Rests, so that a pass works only its part of the time.
async fn rest_after(took: Duration) {
    tokio::time::sleep((took * (DUTY - 1)).max(LEAST_REST)).await;
}

/// Runs as long as the runtime exists.
async fn run(runtime: Weak<Runtime>, retention: Retention, pause: Duration) {
    let mut rest = pause;
    loop {
        tokio::time::sleep(rest).await;
        let Some(runtime) = runtime.upgrade() else {
            return;
        };
        match runtime.retain(retention).await {
            Ok(done) => {
                if done.packed + done.dropped + done.correlations + done.given_back > 0 {
                    log::debug!(
                        "retention packed {} rows, dropped {} instances and {} messages and signals, \
                        and gave {} bytes of the database back",
                        done.packed,
                        done.dropped,
                        done.correlations,
                        done.given_back
                    );
                }
                rest = pause.max(done.worked * PASSES_APART);
            }
            // The next pass tries again; the search for damage reports unreadable data.
            Err(StoreError::Stopped) => {}
            Err(error) => log::warn!("what has ended cannot be packed or dropped: {error}"),
        }
    }
}

impl Runtime {
    /// Begins retention; call it once.
    pub fn begin_retention(self: &Arc<Self>, retention: Retention) {
        let Some(pause) = retention.pause() else {
            return;
        };
        let running = actix_rt::spawn(run(Arc::downgrade(self), retention, pause));
        // Only set here.
        let _ = self.retaining.set(running.abort_handle());
    }

    /// Goes through all instances once.
    ///
    /// # Errors
    /// A store that cannot be read or written; completed turns remain done.
    pub async fn retain(self: &Arc<Self>, retention: Retention) -> Result<PassSummary, StoreError> {
        let (mut done, mut cursor) = (PassSummary::default(), None);
        self.remove_dropped_files().await?;
        if let Some(keep) = retention.audit_keep {
            self.audit.forget(keep);
        }
        done.correlations = self.drop_correlations().await?;
        loop {
            self.users_first().await;
            let began = Instant::now();
            let bounds = Bounds::at(self.clock.now(), retention);
            let is_last = self.turn(bounds, &mut cursor, &mut done).await?;
            let took = began.elapsed();
            done.worked += took;
            if is_last {
                break;
            }
            rest_after(took).await;
        }
        done.given_back = self.shrink_database().await?;
        Ok(done)
    }

    /// Returns free pages of the database that new instances will not need soon to the system, step
    /// by step; returns their bytes.
    async fn shrink_database(&self) -> Result<u64, StoreError> {
        let mut given_back = 0;
        loop {
            let size = self.journal.list(None, |reader| reader.history_size());
            let size = size.await.map_err(|_| StoreError::Stopped)??;
            if size.free <= kept_free(size.database) {
                return Ok(given_back);
            }
            self.users_first().await;
            let began = Instant::now();
            self.write_history(HistoryChange::ShrinkDatabase, || ())
                .await?;
            let now = self.journal.list(None, |reader| reader.history_size());
            let now = now.await.map_err(|_| StoreError::Stopped)??;
            let less = size.database.saturating_sub(now.database);
            if less == 0 {
                // New data has taken the space meanwhile, or this file cannot shrink.
                return Ok(given_back);
            }
            given_back += less;
            rest_after(began.elapsed()).await;
        }
    }

    /// Waits while users keep the writer busy.
    async fn users_first(&self) {
        while self.journal.queued() > limits::WRITER_QUEUE.get() / 4 {
            tokio::time::sleep(USERS_FIRST).await;
        }
    }

    /// One turn, beginning after the last instance that was seen; returns whether it was the last
    /// turn.
    async fn turn(
        self: &Arc<Self>,
        bounds: Bounds,
        cursor: &mut Option<AgedCursor>,
        done: &mut PassSummary,
    ) -> Result<bool, StoreError> {
        let after = cursor.clone();
        let plan = self
            .journal
            .list(None, move |reader| plan::make(reader, bounds, after));
        let plan = plan.await.map_err(|_| StoreError::Stopped)??;
        let RetentionPlan {
            segments,
            snapshots,
            drop,
            seen,
            is_last,
            ..
        } = plan;
        *cursor = seen;
        if !segments.is_empty() {
            let rows: u64 = segments.iter().map(|packed| u64::from(packed.rows)).sum();
            self.write_history(HistoryChange::Pack(segments), || ())
                .await?;
            meters().packed_rows.increment(rows);
            done.packed += rows;
        }
        if !snapshots.is_empty() {
            self.write_history(HistoryChange::ForgetSnapshots(snapshots), || ())
                .await?;
        }
        done.dropped += self.drop_instances(drop).await?;
        Ok(is_last)
    }

    /// Deletes those instances that are neither in memory nor followed; returns their number.
    async fn drop_instances(
        self: &Arc<Self>,
        mut instances: Vec<DroppedInstance>,
    ) -> Result<u64, StoreError> {
        instances.retain(|dropped| {
            !self.hub.is_followed(dropped.key) && self.registry.keep_out(dropped.key)
        });
        if instances.is_empty() {
            return Ok(0);
        }
        let keys: Vec<InstanceKey> = instances.iter().map(|dropped| dropped.key).collect();
        let (count, has_files) = (
            instances.len() as u64,
            instances.iter().any(|dropped| !dropped.files.is_empty()),
        );
        let runtime = self.clone();
        let let_in = move || {
            for key in keys {
                if runtime.registry.reopen(key, Vec::new()) {
                    runtime.load(key);
                }
            }
        };
        self.write_history(HistoryChange::Drop(instances), let_in)
            .await?;
        meters().dropped_instances.increment(count);
        if has_files {
            self.remove_dropped_files().await?;
        }
        Ok(count)
    }

    /// Removes the files of deleted instances.
    async fn remove_dropped_files(self: &Arc<Self>) -> Result<(), StoreError> {
        loop {
            let noted = self
                .journal
                .list(None, |reader| reader.files_to_remove(FILES));
            let noted = noted.await.map_err(|_| StoreError::Stopped)??;
            if noted.is_empty() {
                return Ok(());
            }
            let (runtime, files) = (self.clone(), noted.clone());
            let removing = tokio::task::spawn_blocking(move || runtime.files.remove(&files));
            let removed: Vec<(InstanceKey, Uuid)> =
                removing.await.map_err(|_| StoreError::Panicked)?;
            let stuck = removed.len() < noted.len();
            if !removed.is_empty() {
                self.write_history(HistoryChange::FilesRemoved(removed), || ())
                    .await?;
            }
            if stuck {
                return Ok(());
            }
        }
    }

    /// Writes a change; `then` runs once its outcome is known, whatever that is.
    async fn write_history(
        &self,
        change: HistoryChange,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let place = loop {
            match self.journal.reserve() {
                Ok(place) => break place,
                Err(Busy) => tokio::time::sleep(QUEUE_AGAIN).await,
            }
        };
        let (sender, written) = oneshot::channel();
        place.write(
            Some(WriteOp::History(change)),
            Box::new(move |written: Written| {
                then();
                // When the server stops, nobody waits for the answer.
                let _ = sender.send(written);
            }),
        );
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(StoreError::NoRoom("pack or drop history")),
            Err(_) => Err(StoreError::Panicked),
        }
    }
}
