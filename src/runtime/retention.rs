//! Retention: instances that have ended are packed after a while, and dropped after a longer one; so
//! are entities of messages and signals that nobody needs (`correlations`).
//!
//! A pass goes through all instances, the oldest first, a turn at a time. A turn reads a few of
//! them beside the lists (`plan`), hands one write over to the writer, and rests nine times as long
//! as it took: users do not notice it. What is packed is read as before. What is dropped is gone: a
//! whole tree, once nobody in it is live or ended too lately; what is in memory, is followed, or
//! has something in progress is left to the next pass.
//!
//! What is free in the database is used again; what is free beyond a quarter of it goes back to the
//! system behind each pass, a MiB at a time.
//!
//! Everything stored of an instance goes in one transaction, which notes its files; they are removed
//! after it, and again after a crash in between. Not here: how rows are packed
//! (`journal::history`).
//!
//! # Why so
//!
//! **No index finds what is old.** It would be written at each start and end; a pass reads all lines
//! of the list of instances instead, which takes a few microseconds each, in the background.
//!
//! **A quarter stays free**, as room that is given back and taken again is written twice.

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

/// How much of the time a pass works, as one part of so many.
const DUTY: u32 = 10;
/// The shortest rest between two turns.
const LEAST_REST: Duration = Duration::from_millis(10);
/// Between passes at least this many times what the last one worked.
const PASSES_APART: u32 = 20;
/// While users keep the writer busy, a turn waits so long.
const USERS_FIRST: Duration = Duration::from_millis(250);
/// The part of the database that may stay free.
const FREE_PART: u64 = 4;
/// Files removed at a time.
const FILES: usize = 256;

/// The newest ends that are old enough.
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

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassSummary {
    /// Rows that were packed.
    pub packed: u64,
    /// Instances that were dropped.
    pub dropped: u64,
    /// Entities of messages and signals that were dropped.
    pub correlations: u64,
    /// Bytes of the database that went back to the system.
    pub given_back: u64,
    /// How long its turns took together.
    worked: Duration,
}

/// How much of a database of so many bytes may stay free to be used again.
fn kept_free(database: u64) -> u64 {
    (database / FREE_PART).max(limits::DATABASE_FREE_BYTES)
}

/// Rests, so that a pass works only its part of the time.
async fn rest_after(took: Duration) {
    tokio::time::sleep((took * (DUTY - 1)).max(LEAST_REST)).await;
}

/// Runs as long as there is a runtime.
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
            // It is tried again; what cannot be read is reported by the look for damage.
            Err(error) => log::warn!("what has ended cannot be packed or dropped: {error}"),
        }
    }
}

impl Runtime {
    /// Keeps history small from now on. To be called once.
    pub fn begin_retention(self: &Arc<Self>, retention: Retention) {
        let Some(pause) = retention.pause() else {
            return;
        };
        let running = actix_rt::spawn(run(Arc::downgrade(self), retention, pause));
        // Set here only.
        let _ = self.retaining.set(running.abort_handle());
    }

    /// Goes through all instances once.
    ///
    /// # Errors
    /// A store that cannot be read or written; what was done before stays done.
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

    /// Gives back to the system what of the database is free beyond what new instances will need
    /// soon, step by step; how many bytes that were.
    async fn shrink_database(&self) -> Result<u64, StoreError> {
        let mut given_back = 0;
        loop {
            let size = self.journal.list(|reader| reader.history_size());
            let size = size.await.map_err(|_| StoreError::Panicked)??;
            if size.free <= kept_free(size.database) {
                return Ok(given_back);
            }
            self.users_first().await;
            let began = Instant::now();
            self.write_history(HistoryChange::ShrinkDatabase, || ())
                .await?;
            let now = self.journal.list(|reader| reader.history_size());
            let now = now.await.map_err(|_| StoreError::Panicked)??;
            let less = size.database.saturating_sub(now.database);
            if less == 0 {
                // Others took the room meanwhile, or this file cannot shrink.
                return Ok(given_back);
            }
            given_back += less;
            rest_after(began.elapsed()).await;
        }
    }

    /// Waits while users keep the writer busy.
    async fn users_first(&self) {
        while self.journal.queued() > limits::WRITER_QUEUE / 4 {
            tokio::time::sleep(USERS_FIRST).await;
        }
    }

    /// One turn behind the last instance that was seen; whether it was the last one.
    async fn turn(
        self: &Arc<Self>,
        bounds: Bounds,
        cursor: &mut Option<AgedCursor>,
        done: &mut PassSummary,
    ) -> Result<bool, StoreError> {
        let after = cursor.clone();
        let plan = self
            .journal
            .list(move |reader| plan::make(reader, bounds, after));
        let plan = plan.await.map_err(|_| StoreError::Panicked)??;
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

    /// Drops those of them that are neither in memory nor followed; how many they were.
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

    /// Removes the files of instances that are gone.
    async fn remove_dropped_files(self: &Arc<Self>) -> Result<(), StoreError> {
        loop {
            let noted = self.journal.list(|reader| reader.files_to_remove(FILES));
            let noted = noted.await.map_err(|_| StoreError::Panicked)??;
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

    /// Writes a change; `then` runs once it is known what became of it, whatever that is.
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
                // Nobody waits while the server goes down.
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
