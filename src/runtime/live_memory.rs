//! Estimates how much memory the large instances in memory take together, so that their bytes are
//! bounded and not only their number. Beyond the bound those leave that were not used for longest;
//! far beyond it, each leaves as soon as it has answered.
//!
//! Not here: how the size of data is estimated (`text::memory`), how an instance leaves
//! (`instance::leaving`), instances that leave because nobody uses them (`sweep`).

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Runtime;
use crate::{limits, model::ids::InstanceKey};

/// Instances that leave at most for one use of another: more than come, so that the total sinks.
const LEAVE_AT_ONCE: usize = 2;

/// The total over all instances.
#[derive(Clone, Default)]
pub struct LiveMemoryTotal(Arc<Total>);

struct Total {
    bytes: AtomicUsize,
    most: AtomicUsize,
    uses: Mutex<Uses>,
}

/// The large instances, in the order of their last uses.
#[derive(Default)]
struct Uses {
    next: u64,
    last: BTreeMap<u64, InstanceKey>,
}

/// The part of one instance, or of something else that is counted; given back when this is dropped.
pub struct LiveMemory {
    total: LiveMemoryTotal,
    all: usize,
    /// The bytes that are counted in the total.
    counted: usize,
    /// The number of its last use, while it is among the large ones.
    last_use: Option<u64>,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            bytes: AtomicUsize::default(),
            most: AtomicUsize::new(limits::LIVE_MEMORY),
            uses: Mutex::default(),
        }
    }
}

impl LiveMemoryTotal {
    /// Adds an instance of `bytes`.
    pub fn of_one(&self, bytes: usize) -> LiveMemory {
        let mut one = LiveMemory {
            total: self.clone(),
            all: 0,
            counted: 0,
            last_use: None,
        };
        one.set(bytes);
        one
    }

    /// Bytes that all of them take.
    pub fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Whether instances should leave memory that could otherwise stay.
    pub fn is_too_much(&self) -> bool {
        self.bytes() > self.most()
    }

    fn most(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        // Changes under it cannot panic in the middle.
        self.0.uses.lock().unwrap_or_else(PoisonError::into_inner)
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
        let total = &self.total.0.bytes;
        total.fetch_add(counted, Ordering::Relaxed);
        total.fetch_sub(self.counted, Ordering::Relaxed);
        (self.all, self.counted) = (bytes, counted);
    }

    /// Adds `bytes` to the size.
    pub fn add(&mut self, bytes: usize) {
        self.set(self.all + bytes);
    }

    /// Notes that this instance is in use. Returns those that should leave memory for it, because
    /// all together take too much and they were not used for longest.
    pub fn used(&mut self, key: InstanceKey) -> Vec<InstanceKey> {
        if !self.is_large() && self.last_use.is_none() {
            return Vec::new();
        }
        let mut uses = self.total.uses();
        if let Some(last) = self.last_use.take() {
            uses.last.remove(&last);
        }
        let is_too_much = self.total.is_too_much();
        let leave = (0..if is_too_much { LEAVE_AT_ONCE } else { 0 })
            .filter_map(|_| uses.last.pop_first().map(|(_, key)| key))
            .collect();
        if self.is_large() {
            uses.next += 1;
            let now = uses.next;
            uses.last.insert(now, key);
            self.last_use = Some(now);
        }
        leave
    }

    /// Whether this is one of the large instances.
    pub fn is_large(&self) -> bool {
        self.counted > 0
    }

    /// Whether others must not wait until it is put away.
    pub fn is_long_to_put_away(&self) -> bool {
        self.counted > limits::PUT_AWAY_AT_ONCE
    }

    /// Whether this instance should leave memory although it is in use: it is among the large ones,
    /// and those that should have left for it do not leave fast enough.
    pub fn is_too_much(&self) -> bool {
        let most = self.total.most();
        self.is_large() && self.total.bytes() > most + most / 2
    }
}

impl Drop for LiveMemory {
    fn drop(&mut self) {
        self.set(0);
        if let Some(last) = self.last_use {
            self.total.uses().last.remove(&last);
        }
    }
}

impl Runtime {
    /// Estimated memory of the large instances in memory, in bytes.
    pub fn live_memory(&self) -> usize {
        self.live_memory.bytes()
    }

    /// Sets the bytes beyond which large instances leave memory.
    pub fn limit_live_memory(&self, bytes: usize) {
        self.live_memory.0.most.store(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn memory_is_returned_with_its_holder() {
        let total = LiveMemoryTotal::default();
        let mut one = total.of_one(limits::LIVE_MEMORY * 3 / 2);
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

    #[test]
    fn those_leave_that_were_not_used_for_longest() {
        let key = |number: u128| InstanceKey(Uuid::from_u128(number));
        let total = LiveMemoryTotal::default();
        total.0.most.store(100_000, Ordering::Relaxed);
        let mut all: Vec<_> = (0..5).map(|_| total.of_one(20_000)).collect();
        for (number, one) in (0..).zip(&mut all) {
            assert_eq!(one.used(key(number)), []);
        }
        // Used again, it is the last.
        assert_eq!(all[0].used(key(0)), []);
        let mut small = total.of_one(1);
        assert_eq!(small.used(key(8)), []);
        let mut sixth = total.of_one(20_000);
        assert_eq!(sixth.used(key(5)), [key(1), key(2)]);
        // They leave, and one of the others ends.
        all.drain(1..4);
        assert_eq!(sixth.used(key(5)), []);
        sixth.set(90_000);
        assert!(!sixth.is_too_much());
        assert_eq!(sixth.used(key(5)), [key(4), key(0)]);
        // Nobody is left, but itself.
        assert_eq!(sixth.used(key(5)), []);
        sixth.set(150_000);
        assert!(sixth.is_too_much());
        drop((all, sixth));
        assert!(total.uses().last.is_empty());
    }
}
