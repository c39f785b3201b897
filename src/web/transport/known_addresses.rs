//! Addresses from which a token was sent recently: when connections are scarce, they are served
//! before strangers.

use std::{
    collections::HashSet,
    mem,
    net::IpAddr,
    time::{Duration, Instant},
};

use crate::limits;

/// How long an address is remembered; at most twice as long.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The addresses, in two generations: the older one is forgotten when the younger one is full or
/// old.
pub struct KnownAddresses {
    younger: HashSet<IpAddr>,
    older: HashSet<IpAddr>,
    since: Instant,
}

impl KnownAddresses {
    /// Without addresses.
    pub fn new(now: Instant) -> Self {
        Self {
            younger: HashSet::new(),
            older: HashSet::new(),
            since: now,
        }
    }

    /// Remembers an address.
    pub fn remember(&mut self, address: IpAddr, now: Instant) {
        self.grow_older(now);
        if self.younger.len() >= limits::TRUSTED_ADDRESSES / 2 {
            self.older = mem::take(&mut self.younger);
            self.since = now;
        }
        self.younger.insert(address);
    }

    /// Whether a token was sent from there recently.
    pub fn contain(&mut self, address: IpAddr, now: Instant) -> bool {
        self.grow_older(now);
        self.younger.contains(&address) || self.older.contains(&address)
    }

    fn grow_older(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < REMEMBERED {
            return;
        }
        self.older = mem::take(&mut self.younger);
        if elapsed >= 2 * REMEMBERED {
            self.older.clear();
        }
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_addresses_expire_and_are_bounded() {
        let start = Instant::now();
        let mut known = KnownAddresses::new(start);
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        known.remember(address(1), start);
        assert!(known.contain(address(1), start + REMEMBERED));
        assert!(!known.contain(address(2), start + REMEMBERED));
        assert!(!known.contain(address(1), start + 2 * REMEMBERED));
        for number in 0..3 * limits::TRUSTED_ADDRESSES as u32 {
            known.remember(address(number), start + 2 * REMEMBERED);
        }
        assert!(known.younger.len() + known.older.len() <= limits::TRUSTED_ADDRESSES);
    }
}
