//! The places of the bounded writer queue: a place is taken before a row exists, and kept until its
//! release runs.
//!
//! Counting places apart from the queue bounds the whole way (queue, batch in flight, commit gate), not
//! just its first part.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::limits::Limit;

/// No place is free: try again soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a free place in the writer's queue, but all are taken: try again soon",
        )
    }
}

impl Error for Busy {}

/// All places of one queue.
#[derive(Clone)]
pub(super) struct QueuePermits {
    free: Arc<AtomicUsize>,
    capacity: usize,
}

impl QueuePermits {
    pub fn new(capacity: usize) -> Self {
        Self {
            free: Arc::new(AtomicUsize::new(capacity)),
            capacity,
        }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.capacity - self.free.load(Ordering::Relaxed)
    }

    /// Takes a place when one is free.
    pub fn take(&self) -> Result<QueuePermit, Busy> {
        // The counter guards no other memory, so no ordering is needed.
        let taken = self
            .free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                free.checked_sub(1)
            });
        taken
            .map(|_| QueuePermit {
                free: Arc::clone(&self.free),
            })
            .map_err(|_| {
                Limit::WriterQueue.refused();
                Busy
            })
    }
}

/// One taken place; free again when dropped.
pub(super) struct QueuePermit {
    free: Arc<AtomicUsize>,
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        self.free.fetch_add(1, Ordering::Relaxed);
    }
}
