//! Counters of the writer, for the dashboard and for benchmarks.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What the writer did since the statistics were last taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JournalStats {
    /// Transactions committed.
    pub batches: u64,
    /// Log rows in them.
    pub rows: u64,
    /// The shortest commit, sync included; zero when there was none.
    pub shortest: Duration,
    /// The mean commit; zero when there was none.
    pub mean: Duration,
    /// The longest commit.
    pub longest: Duration,
}

#[derive(Default)]
struct Sums {
    batches: u64,
    rows: u64,
    shortest: Duration,
    total: Duration,
    longest: Duration,
}

/// Where the writer counts. A lock is cheap beside a sync.
#[derive(Default)]
pub(super) struct Counters {
    sums: Mutex<Sums>,
}

impl Counters {
    /// Counts one committed batch.
    pub fn committed(&self, rows: u64, took: Duration) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.shortest = if sums.batches == 0 { took } else { sums.shortest.min(took) };
        sums.batches += 1;
        sums.rows += rows;
        sums.total += took;
        sums.longest = sums.longest.max(took);
    }

    /// Answers what was counted, and starts again from zero.
    pub fn take(&self) -> JournalStats {
        let sums = std::mem::take(&mut *self.sums.lock().unwrap_or_else(PoisonError::into_inner));
        let mean = match u32::try_from(sums.batches) {
            Ok(batches) if batches > 0 => sums.total / batches,
            _ => Duration::ZERO,
        };
        JournalStats { batches: sums.batches, rows: sums.rows, shortest: sums.shortest, mean, longest: sums.longest }
    }
}
