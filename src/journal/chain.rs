//! What happens to a write that the store did not take, and chains of writes that build on one
//! another.
//!
//! A decision runs ahead of the store: the next write is computed from what the one before
//! will have changed. So when one fails, all later ones of its chain fail, too, and nothing
//! computed from them may leave. The writer breaks a chain; its owner drops what it holds in
//! memory, reads the store, and begins another.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Why a write is not known to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// Nothing of it is in the store: the disk is full, or a write that it builds on was not made.
    NoRoom,
    /// It may be in the store or not: the disk failed while it was written. The next start knows.
    Unknown,
}

/// What became of a write.
pub type Written = Result<(), NotWritten>;

/// Writes of which each is computed from the ones before. Clones are the same chain.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    is_broken: Arc<AtomicBool>,
}

impl Chain {
    /// Whether a write of it has failed.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Whether both are the same chain.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_broken, &other.is_broken)
    }

    /// Tells chains that exist apart.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.is_broken) as usize
    }

    /// A write of it has failed. Before this is seen by anybody but the writer, no release of the
    /// write has run.
    pub(super) fn break_off(&self) {
        self.is_broken.store(true, Ordering::Release);
    }
}
