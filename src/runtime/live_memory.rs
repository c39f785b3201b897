//! How much the large ones among the instances in memory take together, roughly: so that what they
//! hold is bounded, and not only how many there are.
//!
//! Not here: how it is counted (`text::memory`), instances that leave as nobody uses them
//! (`registry`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::Runtime;
use crate::limits;

/// What all of them take.
#[derive(Clone, Default)]
pub struct LiveMemoryTotal(Arc<AtomicUsize>);

/// What one of them takes; given back when dropped.
pub struct LiveMemory {
    total: LiveMemoryTotal,
    all: usize,
    /// What of it counts.
    counted: usize,
}

impl LiveMemoryTotal {
    /// What one more takes.
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

    /// Whether instances should leave memory that could stay as well.
    pub fn is_too_much(&self) -> bool {
        self.bytes() > limits::LIVE_MEMORY
    }
}

impl LiveMemory {
    /// What it takes from now on; a small one counts for nothing.
    pub fn set(&mut self, bytes: usize) {
        let counted = if bytes > limits::LARGE_INSTANCE {
            bytes
        } else {
            0
        };
        // Numbers alone: nothing else depends on their order.
        self.total.0.fetch_add(counted, Ordering::Relaxed);
        self.total.0.fetch_sub(self.counted, Ordering::Relaxed);
        (self.all, self.counted) = (bytes, counted);
    }

    /// That it takes so much more.
    pub fn add(&mut self, bytes: usize) {
        self.set(self.all + bytes);
    }

    /// Whether this one should leave memory: together they take too much, and without it less.
    pub fn is_too_much(&self) -> bool {
        self.counted > 0 && self.total.is_too_much()
    }
}

impl Drop for LiveMemory {
    fn drop(&mut self) {
        self.set(0);
    }
}

impl Runtime {
    /// What the large ones among the instances in memory take, roughly, in bytes.
    pub fn live_memory(&self) -> usize {
        self.live_memory.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_takes_is_given_back_with_it() {
        let total = LiveMemoryTotal::default();
        let mut one = total.of_one(limits::LIVE_MEMORY);
        let large = limits::LARGE_INSTANCE + 1;
        let other = total.of_one(large);
        let small = total.of_one(limits::LARGE_INSTANCE);
        assert!(one.is_too_much() && total.is_too_much());
        // It is not for the small ones to go.
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
