//! Failed writes, and chains of writes that depend on each other.
//!
//! Decisions run ahead of the store: the next write is computed from the changes of the previous
//! one. So when one fails, all later ones of its chain fail, too, and nothing computed from them
//! may leave. The writer breaks a chain; its owner drops what it has in memory, reads the store,
//! and begins a new chain.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Why a write is not known to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// Nothing of it is in the store: the disk is full, or a write that it depends on failed.
    NoRoom,
    /// It may or may not be in the store, because the disk failed while it was written. The next
    /// start finds out.
    Unknown,
}

/// The outcome of a write.
pub type Written = Result<(), NotWritten>;

/// Writes each of which is computed from the previous ones. All clones are the same chain.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    is_broken: Arc<AtomicBool>,
}

impl Chain {
    /// Whether one of its writes has failed.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Whether both are the same chain.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_broken, &other.is_broken)
    }

    /// Distinguishes chains that exist.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.is_broken) as usize
    }

    /// One of its writes has failed. To be called before any release of the write runs.
    pub(super) fn break_off(&self) {
        self.is_broken.store(true, Ordering::Release);
    }
}
