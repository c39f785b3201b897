//! Knows keys under which certainly nothing is stored, so that loading such an instance needs no
//! read of the store.
//!
//! A key begins with the time of the command that made it, so nearly every start brings a key newer
//! than all others. All stored keys after a bound are known; the bound begins at the server's start
//! and follows the newest keys. For keys before or at the bound the store is read. So a client
//! whose clock is wrong, or a repeat of an old start, only costs a read.
//!
//! # Rationale
//!
//! **A new key needs no read.** A key begins with its command's time, so the runtime knows every
//! key stored since its start; only repeats, old commands and commands with wrong clocks are looked
//! up.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use crate::model::ids::{InstanceKey, Time};

/// Keys remembered at most: some seconds of starts at full load, in less than a megabyte.
pub const REMEMBERED: usize = 32_768;

/// Distinguishes keys that are certainly not stored from those that have to be looked up.
pub struct FreshKeys {
    known: Mutex<KnownKeys>,
}

struct KnownKeys {
    /// All stored keys after this one are in `taken`.
    bound: InstanceKey,
    taken: BTreeSet<InstanceKey>,
}

impl FreshKeys {
    /// Begins with the keys stored after `bound`: none, unless a clock was ahead. If there are more
    /// than can be remembered, every key is looked up.
    pub fn after(bound: InstanceKey, stored: Vec<InstanceKey>) -> Self {
        let bound = if stored.len() >= REMEMBERED {
            InstanceKey(Uuid::max())
        } else {
            bound
        };
        Self {
            known: Mutex::new(KnownKeys {
                bound,
                taken: stored.into_iter().collect(),
            }),
        }
    }

    /// Whether nothing is stored under this key. Only the first call with a key returns `true`,
    /// because something may be stored under it from then on.
    pub fn take(&self, key: InstanceKey) -> bool {
        // A set that lost a key to a panic would give wrong answers, but no call below panics in
        // the middle of a change.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if key <= known.bound || !known.taken.insert(key) {
            return false;
        }
        if known.taken.len() > REMEMBERED {
            known.forget_older_half();
        }
        true
    }
}

impl KnownKeys {
    fn forget_older_half(&mut self) {
        if let Some(&middle) = self.taken.iter().nth(self.taken.len() / 2) {
            self.taken = self.taken.split_off(&middle);
            self.bound = middle;
        }
    }
}

/// The last key with a time before `now`.
pub fn bound_at(now: Time) -> InstanceKey {
    let millis = u128::from(now.0.max(0).unsigned_abs());
    InstanceKey(Uuid::from_u128(millis << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u128) -> InstanceKey {
        InstanceKey(Uuid::from_u128(number))
    }

    #[test]
    fn a_key_is_fresh_once_and_only_after_the_bound() {
        let keys = FreshKeys::after(key(10), vec![key(12)]);
        assert!(!keys.take(key(9)));
        assert!(!keys.take(key(10)));
        assert!(keys.take(key(11)));
        assert!(!keys.take(key(11)));
        assert!(!keys.take(key(12)));
    }

    #[test]
    fn what_is_forgotten_is_not_fresh_again() {
        let keys = FreshKeys::after(key(0), Vec::new());
        let many = 3 * REMEMBERED as u128;
        assert!((1..=many).all(|number| keys.take(key(number))));
        assert!((1..=many).all(|number| !keys.take(key(number))));
        assert!(keys.take(key(many + 1)));
    }

    #[test]
    fn with_more_stored_than_can_be_remembered_nothing_is_fresh() {
        let keys = FreshKeys::after(key(0), (1..=REMEMBERED as u128).map(key).collect());
        assert!(!keys.take(key(REMEMBERED as u128 + 1)));
    }

    #[test]
    fn keys_of_later_commands_are_after_the_bound() {
        let bound = bound_at(Time(1_000));
        let start = |millis: u64| {
            Uuid::new_v7(uuid::Timestamp::from_unix(
                uuid::NoContext,
                millis / 1_000,
                (millis % 1_000) as u32 * 1_000_000,
            ))
        };
        assert!(super::super::keys::of_start("default", "alice", start(1_000)) > bound);
        assert!(super::super::keys::of_start("default", "alice", start(999)) < bound);
    }
}
