//! Estimates how much memory the large instances in memory take together, so that their bytes are
//! bounded and not only their number.
//!
//! Not here: how the size of data is estimated (`text::memory`), instances that leave memory
//! because nobody uses them (`registry`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::Runtime;
use crate::limits;

/// The total over all instances.
#[derive(Clone, Default)]
pub struct LiveMemoryTotal(Arc<AtomicUsize>);

/// The part of one instance; given back when this is dropped.
pub struct LiveMemory {
    total: LiveMemoryTotal,
    all: usize,
    /// The bytes that are counted in the total.
    counted: usize,
}

impl LiveMemoryTotal {
    /// Adds an instance of `bytes`.
    pub fn of_one(&self, bytes: usize) -> LiveMemory {
        let mut one = LiveMemory {
            total: self.clone(),
            all: 0,
            counted: 0,
        };
        one.set(bytes);
        one
    }

    /// Bytes that all of them take.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether instances should leave memory that could otherwise stay.
    pub fn is_too_much(&self) -> bool {
        self.bytes() > limits::LIVE_MEMORY
    }
}

impl LiveMemory {
    /// Sets the size; a small instance counts as 0.
    pub fn set(&mut self, bytes: usize) {
        let counted = if bytes > limits::LARGE_INSTANCE {
            bytes
        } else {
            0
        };
        // Only a counter: no other memory access depends on its order.
        self.total.0.fetch_add(counted, Ordering::Relaxed);
        self.total.0.fetch_sub(self.counted, Ordering::Relaxed);
        (self.all, self.counted) = (bytes, counted);
    }

    /// Adds `bytes` to the size.
    pub fn add(&mut self, bytes: usize) {
        self.set(self.all + bytes);
    }

    /// Whether this is one of the large instances.
    pub fn is_large(&self) -> bool {
        self.counted > 0
    }

    /// Whether this instance should leave memory: all together take too much, and it is among the
    /// large ones.
    pub fn is_too_much(&self) -> bool {
        self.is_large() && self.total.is_too_much()
    }
}

impl Drop for LiveMemory {
    fn drop(&mut self) {
        self.set(0);
    }
}

impl Runtime {
    /// Estimated memory of the large instances in memory, in bytes.
    pub fn live_memory(&self) -> usize {
        self.live_memory.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_returned_with_its_holder() {
        let total = LiveMemoryTotal::default();
        let mut one = total.of_one(limits::LIVE_MEMORY);
        let large = limits::LARGE_INSTANCE + 1;
        let other = total.of_one(large);
        let small = total.of_one(limits::LARGE_INSTANCE);
        assert!(one.is_too_much() && total.is_too_much());
        // A small instance need not leave.
        assert!(!small.is_too_much());
        one.set(1);
        one.add(large - 1);
        assert!(!other.is_too_much());
        drop(other);
        assert_eq!(total.bytes(), large);
        drop(one);
        assert_eq!(total.bytes(), 0);
    }
}
