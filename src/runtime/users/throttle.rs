//! Slows down guessing of passwords: after a few wrong ones each further try has to wait longer.
//!
//! Wrong passwords count for a name from one address, and for an address with any name, so nobody
//! can lock out a user who signs in from elsewhere. Many addresses that guess the password of one
//! name together slow down only addresses from which nobody has signed in under it before. Memory
//! is bounded; when it is full, the least suspicious entries are forgotten. Time is an argument.
//!
//! # Rationale
//!
//! **A try counts as wrong before it is checked**, and is taken back if the password was right, so
//! that many simultaneous tries do not get around the limits.

use std::{collections::HashMap, hash::Hash, net::IpAddr, time::Duration};

use crate::{limits, model::ids::Time};

/// Tenant and name of a user.
type Name = (String, String);

/// Counts of wrong passwords.
pub(super) struct Throttle {
    /// By name and address.
    names: AttemptCounts<(Name, Option<IpAddr>)>,
    /// By address, for all names.
    addresses: AttemptCounts<IpAddr>,
    /// By name, for all addresses.
    names_anywhere: AttemptCounts<Name>,
    known: SignInAddresses,
}

/// A try: the name, and the address.
#[derive(Clone)]
pub(super) struct Try {
    name: Name,
    address: Option<IpAddr>,
}

/// The time after which another try is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(pub Duration);

impl Try {
    pub fn new(tenant: &str, name: &str, from: Option<IpAddr>) -> Self {
        Self {
            name: (tenant.to_owned(), name.to_owned()),
            address: from.map(limits::network),
        }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            names: AttemptCounts::new(limits::WRONG_PER_NAME.get() as u32),
            addresses: AttemptCounts::new(limits::WRONG_PER_ADDRESS.get() as u32),
            names_anywhere: AttemptCounts::new(limits::WRONG_PER_NAME_ANYWHERE.get() as u32),
            known: SignInAddresses::default(),
        }
    }
}

impl Throttle {
    /// Whether a try may be made now. Counts nothing.
    pub fn check(&self, attempt: &Try, now: Time) -> Result<(), Wait> {
        let of_name = self
            .names
            .wait(&(attempt.name.clone(), attempt.address), now);
        let of_address = attempt
            .address
            .and_then(|address| self.addresses.wait(&address, now));
        let anywhere = if self.known.has(attempt) {
            None
        } else {
            self.names_anywhere.wait(&attempt.name, now)
        };
        of_name
            .max(of_address)
            .max(anywhere)
            .map_or(Ok(()), |wait| {
                limits::Limit::SignInWait.refused();
                Err(Wait(wait))
            })
    }

    /// Whether the name has signed in from this address before.
    pub fn knows(&self, attempt: &Try) -> bool {
        self.known.has(attempt)
    }

    /// Begins a try, if it is allowed: it counts as wrong until [`Throttle::was_right`].
    pub fn begin(&mut self, attempt: &Try, now: Time) -> Result<(), Wait> {
        self.check(attempt, now)?;
        self.names
            .count((attempt.name.clone(), attempt.address), now);
        if let Some(address) = attempt.address
            && self.addresses.count(address, now) == limits::WRONG_PER_ADDRESS.get() as u32
        {
            log::warn!(
                "sign-in: {} wrong passwords from {address}: each further one waits",
                limits::WRONG_PER_ADDRESS.get()
            );
        }
        if self.names_anywhere.count(attempt.name.clone(), now)
            == limits::WRONG_PER_NAME_ANYWHERE.get() as u32
        {
            let (tenant, name) = &attempt.name;
            log::warn!(
                "sign-in: {} wrong passwords for {name:?} of tenant {tenant:?}: each further one \
                waits, but from addresses it has signed in from before",
                limits::WRONG_PER_NAME_ANYWHERE.get()
            );
        }
        Ok(())
    }

    /// The password was right: the count of the name from this address is cleared. The other counts
    /// only lose this try, because otherwise a user who knows one password could continue guessing
    /// others.
    pub fn was_right(&mut self, attempt: &Try, now: Time) {
        self.names
            .wrong
            .remove(&(attempt.name.clone(), attempt.address));
        self.names_anywhere.take_back(&attempt.name);
        if let Some(address) = attempt.address {
            self.addresses.take_back(&address);
            self.known.learn(&attempt.name, address, now);
        }
    }
}

/// The addresses from which names have signed in since the server's start, the newest ones.
#[derive(Default)]
struct SignInAddresses {
    by_name: HashMap<Name, Vec<(IpAddr, Time)>>,
}

impl SignInAddresses {
    fn has(&self, attempt: &Try) -> bool {
        let known = self
            .by_name
            .get(&attempt.name)
            .map_or(&[][..], Vec::as_slice);
        attempt
            .address
            .is_none_or(|address| known.iter().any(|(known, _)| *known == address))
    }

    fn learn(&mut self, name: &Name, address: IpAddr, now: Time) {
        if self.by_name.len() >= limits::WRONG_COUNTED && !self.by_name.contains_key(name) {
            let newest = |known: &Vec<(IpAddr, Time)>| known.iter().map(|(_, at)| *at).max();
            let oldest = self
                .by_name
                .iter()
                .min_by_key(|(_, known)| newest(known))
                .map(|(name, _)| name.clone());
            oldest.map(|name| self.by_name.remove(&name));
        }
        let known = self.by_name.entry(name.clone()).or_default();
        known.retain(|(known, _)| *known != address);
        if known.len() >= limits::KNOWN_ADDRESSES {
            known.remove(0);
        }
        known.push((address, now));
    }
}

/// Wrong tries per key.
struct AttemptCounts<K> {
    /// This many tries cause no wait.
    free: u32,
    wrong: HashMap<K, FailedSignIns>,
}

struct FailedSignIns {
    count: u32,
    last: Time,
}

impl<K: Hash + Eq + Clone> AttemptCounts<K> {
    fn new(free: u32) -> Self {
        Self {
            free,
            wrong: HashMap::new(),
        }
    }

    fn wait(&self, key: &K, now: Time) -> Option<Duration> {
        let wrong = self
            .wrong
            .get(key)
            .filter(|wrong| !wrong.is_forgotten(now))?;
        let doublings = wrong.count.checked_sub(self.free)?;
        let whole = 1_u64
            .checked_shl(doublings)
            .map_or(limits::SIGN_IN_WAIT.get(), Duration::from_secs)
            .min(limits::SIGN_IN_WAIT.get());
        whole
            .checked_sub(wrong.age(now))
            .filter(|rest| !rest.is_zero())
    }

    /// Counts one more try; returns the count.
    fn count(&mut self, key: K, now: Time) -> u32 {
        if self.wrong.len() >= limits::WRONG_COUNTED && !self.wrong.contains_key(&key) {
            self.make_room(now);
        }
        let wrong = self.wrong.entry(key).or_insert(FailedSignIns {
            count: 0,
            last: now,
        });
        wrong.count = if wrong.is_forgotten(now) {
            1
        } else {
            wrong.count.saturating_add(1)
        };
        wrong.last = now;
        wrong.count
    }

    fn take_back(&mut self, key: &K) {
        if let Some(wrong) = self.wrong.get_mut(key) {
            wrong.count = wrong.count.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now: Time) {
        self.wrong
            .retain(|_, wrong| wrong.count > 0 && !wrong.is_forgotten(now));
        if self.wrong.len() >= limits::WRONG_COUNTED {
            let least = self
                .wrong
                .iter()
                .min_by_key(|(_, wrong)| (wrong.count, wrong.last))
                .map(|(key, _)| key.clone());
            least.map(|key| self.wrong.remove(&key));
        }
    }
}

impl FailedSignIns {
    fn age(&self, now: Time) -> Duration {
        Duration::from_millis(u64::try_from(now.0.saturating_sub(self.last.0)).unwrap_or(0))
    }

    fn is_forgotten(&self, now: Time) -> bool {
        self.age(now) >= limits::WRONG_FORGOTTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(name: &str, from: Option<&str>) -> Try {
        Try::new("default", name, from.map(|text| text.parse().unwrap()))
    }

    fn tries(throttle: &mut Throttle, attempt: &Try, count: u32, now: i64) {
        for _ in 0..count {
            assert_eq!(throttle.begin(attempt, Time(now)), Ok(()));
        }
    }

    fn wait_of(throttle: &Throttle, attempt: &Try, now: i64) -> u128 {
        throttle
            .check(attempt, Time(now))
            .err()
            .map_or(0, |Wait(wait)| wait.as_millis())
    }

    #[test]
    fn after_five_wrong_passwords_the_delay_doubles() {
        let (mut throttle, ada) = (Throttle::default(), attempt("ada", None));
        tries(&mut throttle, &ada, 5, 0);
        assert_eq!(
            throttle.begin(&ada, Time(999)),
            Err(Wait(Duration::from_millis(1)))
        );
        assert_eq!(
            wait_of(&throttle, &attempt("bob", None), 0),
            0,
            "others are not concerned"
        );
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..12 {
            let wait = wait_of(&throttle, &ada, now);
            waits.push(wait / 1000);
            now += wait as i64;
            tries(&mut throttle, &ada, 1, now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(
            wait_of(&throttle, &ada, now - 3_600_000),
            900_000,
            "a clock set back lengthens nothing"
        );
        now += 30 * 60_000;
        tries(&mut throttle, &ada, 5, now);
        assert_eq!(
            wait_of(&throttle, &ada, now),
            1000,
            "forgotten, and counted again"
        );
    }

    #[test]
    fn a_right_password_starts_the_name_anew_but_not_the_address() {
        let mut throttle = Throttle::default();
        tries(&mut throttle, &attempt("ada", Some("192.0.2.1")), 5, 0);
        assert_eq!(
            wait_of(&throttle, &attempt("ada", Some("192.0.2.1")), 0),
            1000
        );
        throttle.was_right(&attempt("ada", Some("192.0.2.1")), Time(0));
        assert_eq!(wait_of(&throttle, &attempt("ada", Some("192.0.2.1")), 0), 0);
        for number in 0..16 {
            tries(
                &mut throttle,
                &attempt(&format!("user{number}"), Some("192.0.2.1")),
                1,
                0,
            );
        }
        assert_eq!(
            wait_of(&throttle, &attempt("eve", Some("192.0.2.1")), 0),
            1000
        );
        assert_eq!(
            wait_of(&throttle, &attempt("eve", Some("::ffff:192.0.2.1")), 0),
            1000,
            "the same address"
        );
        assert_eq!(wait_of(&throttle, &attempt("eve", Some("192.0.2.2")), 0), 0);
    }

    #[test]
    fn a_user_is_not_locked_out_from_another_address() {
        let mut throttle = Throttle::default();
        throttle.was_right(&attempt("ada", Some("192.0.2.1")), Time(0));
        tries(&mut throttle, &attempt("ada", Some("198.51.100.1")), 5, 0);
        assert_eq!(
            wait_of(&throttle, &attempt("ada", Some("198.51.100.1")), 0),
            1000
        );
        assert_eq!(
            wait_of(&throttle, &attempt("ada", Some("203.0.113.1")), 0),
            0,
            "another address"
        );
        for number in 2..=20 {
            tries(
                &mut throttle,
                &attempt("ada", Some(&format!("198.51.100.{number}"))),
                5,
                0,
            );
        }
        assert_eq!(
            wait_of(&throttle, &attempt("ada", Some("203.0.113.1")), 0),
            1000,
            "many addresses guess together"
        );
        assert_eq!(
            wait_of(&throttle, &attempt("ada", Some("192.0.2.1")), 0),
            0,
            "where the name has signed in from before"
        );
        assert_eq!(
            wait_of(&throttle, &attempt("bob", Some("203.0.113.1")), 0),
            0,
            "others are not concerned"
        );
    }

    #[test]
    fn known_addresses_are_bounded_and_the_newest_are_kept() {
        let mut throttle = Throttle::default();
        for number in 0..limits::WRONG_COUNTED + 10 {
            throttle.was_right(
                &attempt(&number.to_string(), Some("192.0.2.1")),
                Time(number as i64),
            );
        }
        assert_eq!(throttle.known.by_name.len(), limits::WRONG_COUNTED);
        assert!(
            !throttle.known.has(&attempt("0", Some("192.0.2.1")))
                && throttle.known.has(&attempt("10", Some("192.0.2.1")))
        );
        for number in 0..=limits::KNOWN_ADDRESSES {
            throttle.was_right(
                &attempt("10", Some(&format!("198.51.100.{number}"))),
                Time(0),
            );
        }
        assert_eq!(
            throttle.known.by_name[&attempt("10", None).name].len(),
            limits::KNOWN_ADDRESSES
        );
        assert!(!throttle.known.has(&attempt("10", Some("192.0.2.1"))));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let mut throttle = Throttle::default();
        for number in 0..20 {
            tries(
                &mut throttle,
                &attempt(
                    &format!("user{number}"),
                    Some(&format!("2001:db8::{number:x}")),
                ),
                1,
                0,
            );
        }
        assert_eq!(
            wait_of(&throttle, &attempt("eve", Some("2001:db8::ffff")), 0),
            1000
        );
        assert_eq!(
            wait_of(&throttle, &attempt("eve", Some("2001:db8:0:1::1")), 0),
            0
        );
    }

    #[test]
    fn memory_is_bounded_and_names_with_most_failures_are_kept() {
        let (mut throttle, ada) = (Throttle::default(), attempt("ada", None));
        tries(&mut throttle, &ada, 5, 0);
        for number in 0..limits::WRONG_COUNTED + 100 {
            tries(&mut throttle, &attempt(&number.to_string(), None), 1, 1);
        }
        assert_eq!(throttle.names.wrong.len(), limits::WRONG_COUNTED);
        assert_eq!(wait_of(&throttle, &ada, 1), 999);
    }
}
