//! The rates of each address and user, over all their websockets, streams and requests together:
//! requests, bytes and starts per second.
//!
//! A stranger counts for the network of its address, together with others there. A user counts for
//! itself, and also for the address, among its users only: a stranger takes nothing from users at
//! the same address. Memory is bounded whatever the number of addresses and users: buckets that are
//! full again are forgotten, and when there is still no room, new ones share a few buckets.
//!
//! Not here: what one connection may send (`rate_limit`), how long a refusal is delayed
//! (`held_back`), how a request is refused (`web::admission`).

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    auth::principal::Principal,
    held_back::{DelayedRefusals, HeldBack},
    rate_limit::take,
    token_bucket::TokenBucket,
};
use crate::{
    engine::access::Caller,
    limits::{self, Limit, Limits, Quota, Rates},
    runtime::written_for::WrittenFor,
};

/// Parts of a table, each with a lock of its own.
const SHARDS: usize = 16;
/// How often a part forgets buckets that are full again, at most.
const SWEEP: Duration = Duration::from_secs(1);

/// The rates of all addresses and users.
pub struct SharedRates {
    anonymous: RateTable,
    users: RateTable,
    addresses: RateTable,
    health_checks: RateTable,
    delayed: DelayedRefusals,
    hashes: RandomState,
}

/// Whose rates a request counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    anonymous: Option<u64>,
    user: Option<u64>,
    address: Option<u64>,
}

/// What a request has cost beyond what it was charged for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Debt {
    /// Bytes.
    pub bytes: usize,
    /// Instances that it has started, or what counts as parts of such a start.
    pub starts: f64,
}

/// The kind of charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// A request, or a message of a websocket, with its bytes.
    Request(usize),
    /// The start of an instance by it.
    Start,
}

/// A rate is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateExceeded {
    /// The limit.
    pub limit: Limit,
    /// When the same request would be accepted.
    pub after: Duration,
}

impl RateExceeded {
    /// The sentence for the client.
    pub fn sentence(&self) -> String {
        let (what, whose) = match self.limit {
            Limit::AnonymousRequests => ("requests", "from one address without a user's token"),
            Limit::AnonymousBytes => ("bytes", "from one address without a user's token"),
            Limit::AnonymousStarts => ("starts", "from one address without a user's token"),
            Limit::HealthChecks => ("health checks", "from one address"),
            Limit::UserRequests => ("requests", "of one user"),
            Limit::UserBytes => ("bytes", "of one user"),
            Limit::UserStarts => ("starts", "of one user"),
            Limit::AddressBytes => ("bytes", "of users from one address"),
            Limit::AddressStarts => ("starts", "of users from one address"),
            _ => ("requests", "of users from one address"),
        };
        format!("expected fewer {what} per second {whose}, but the rate is used up: wait afterMs")
    }
}

impl SharedRates {
    /// Rates of these limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            anonymous: RateTable::new(
                limits.anonymous,
                [
                    Limit::AnonymousRequests,
                    Limit::AnonymousBytes,
                    Limit::AnonymousStarts,
                ],
            ),
            users: RateTable::new(
                limits.user,
                [Limit::UserRequests, Limit::UserBytes, Limit::UserStarts],
            ),
            addresses: RateTable::new(
                limits.address,
                [
                    Limit::AddressRequests,
                    Limit::AddressBytes,
                    Limit::AddressStarts,
                ],
            ),
            health_checks: RateTable::new(
                Rates {
                    requests: Quota::new(
                        limits::HEALTH_CHECKS_PER_SECOND.get() as u64,
                        limits::HEALTH_CHECKS_AT_ONCE.get() as u64,
                    ),
                    ..Rates::OFF
                },
                [Limit::HealthChecks; 3],
            ),
            delayed: DelayedRefusals::default(),
            hashes: RandomState::new(),
        }
    }

    /// Whose rates the requests of `principal` from `address` count for. Without an address, as on
    /// the local socket, only those of the user.
    pub fn payer(&self, principal: Option<&Principal>, address: Option<IpAddr>) -> Payer {
        let user = principal.filter(|principal| !principal.is_anonymous());
        self.payer_of(user.map(|user| &user.caller), address)
    }

    fn payer_of(&self, user: Option<&Caller>, address: Option<IpAddr>) -> Payer {
        let network = address.map(|address| self.hash(limits::network(address)));
        match user {
            None => Payer {
                anonymous: network,
                ..Payer::default()
            },
            Some(user) => Payer {
                anonymous: None,
                user: Some(self.hash((&user.tenant, &user.subject))),
                address: network,
            },
        }
    }

    /// Counts a request, unless a rate is used up.
    ///
    /// # Errors
    /// [`RateExceeded`]; it is counted as refused.
    pub fn admit(&self, payer: Payer, charge: Charge, now: Instant) -> Result<(), RateExceeded> {
        let paying = [
            (&self.anonymous, payer.anonymous),
            (&self.addresses, payer.address),
            (&self.users, payer.user),
        ];
        for (table, id) in paying {
            if let Some(id) = id {
                table.admit(id, charge, now).inspect_err(|spent| {
                    spent.limit.refused();
                })?;
            }
        }
        Ok(())
    }

    /// Charges what a request has cost, after the fact: if it exceeds what is left, the next request
    /// waits.
    pub fn owe(&self, payer: Payer, debt: Debt, now: Instant) {
        let paying = [
            (&self.anonymous, payer.anonymous),
            (&self.addresses, payer.address),
            (&self.users, payer.user),
        ];
        for (table, id) in paying {
            if let Some(id) = id {
                table.owe(id, debt, now);
            }
        }
    }

    /// Charges what is written for somebody. The command of a caller may write far more bytes than it
    /// has, which were charged when it was admitted. What an instance writes by itself counts for the
    /// user who started its tree as further starts: the user starts and publishes less, but can
    /// still act on what is there.
    pub fn owe_written(&self, whom: WrittenFor<'_>, bytes: usize) {
        let (payer, debt) = match whom {
            WrittenFor::Caller(caller) => {
                let user = caller.trees.is_none().then_some(caller);
                let starts = 0.0;
                (self.payer_of(user, caller.address), Debt { bytes, starts })
            }
            WrittenFor::Starter { tenant, subject } => {
                let user = Payer {
                    user: Some(self.hash((tenant, subject))),
                    ..Payer::default()
                };
                let starts = bytes as f64 / limits::WRITTEN_AS_A_START as f64;
                (user, Debt { bytes: 0, starts })
            }
        };
        self.owe(payer, debt, Instant::now());
    }

    /// Counts a health check in the rate of its address. Without an address there is no rate.
    ///
    /// # Errors
    /// [`RateExceeded`]; it is counted as refused.
    pub fn admit_health_check(
        &self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), RateExceeded> {
        let Some(address) = address else {
            return Ok(());
        };
        let network = self.hash(limits::network(address));
        let admitted = self.health_checks.admit(network, Charge::Request(0), now);
        admitted.inspect_err(|spent| spent.limit.refused())
    }

    /// Counts a delayed refusal, until the result is dropped.
    pub fn hold_back(&self, payer: Payer) -> HeldBack {
        let whose = payer.anonymous.or(payer.address).or(payer.user);
        self.delayed.enter(whose.unwrap_or_default())
    }

    fn hash(&self, key: impl Hash) -> u64 {
        self.hashes.hash_one(key)
    }
}

/// Buckets by a hash that nobody outside can compute, so that keys take no memory.
struct RateTable {
    quotas: [Quota; 3],
    limits: [Limit; 3],
    shards: [Mutex<Shard>; SHARDS],
}

type Buckets = [TokenBucket; 3];

struct Shard {
    known: HashMap<u64, Buckets>,
    /// The buckets of those for which there is no room.
    others: Option<Buckets>,
    swept: Option<Instant>,
}

impl RateTable {
    fn new(rates: Rates, limits: [Limit; 3]) -> Self {
        let shard = || Shard {
            known: HashMap::new(),
            others: None,
            swept: None,
        };
        Self {
            quotas: [rates.requests, rates.bytes, rates.starts],
            limits,
            shards: std::array::from_fn(|_| Mutex::new(shard())),
        }
    }

    fn admit(&self, id: u64, charge: Charge, now: Instant) -> Result<(), RateExceeded> {
        let amounts = match charge {
            Charge::Request(bytes) => [1.0, bytes as f64, 0.0],
            Charge::Start => [0.0, 0.0, 1.0],
        };
        let is_limited = |(quota, amount): (&Quota, &f64)| quota.is_on() && *amount > 0.0;
        if !self.quotas.iter().zip(&amounts).any(is_limited) {
            return Ok(());
        }
        let shard = &self.shards[id as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = shard.buckets(id, &self.quotas, now);
        match take(buckets, &self.quotas, amounts, now) {
            None => Ok(()),
            Some(after) => Err(RateExceeded {
                limit: self.limits[after.bucket],
                after: after.wait,
            }),
        }
    }
}

impl RateTable {
    fn owe(&self, id: u64, debt: Debt, now: Instant) {
        if !self.quotas[1..].iter().any(|quota| quota.is_on()) {
            return;
        }
        let shard = &self.shards[id as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let [_, of_bytes, of_starts] = shard.buckets(id, &self.quotas, now);
        of_bytes.owe(self.quotas[1], debt.bytes as f64, now);
        of_starts.owe(self.quotas[2], debt.starts, now);
    }
}

impl Shard {
    fn buckets(&mut self, id: u64, quotas: &[Quota; 3], now: Instant) -> &mut Buckets {
        const KEPT_PER_SHARD: usize = limits::RATES_KEPT / SHARDS;
        let fresh = || quotas.map(|quota| TokenBucket::new(quota, now));
        if !self.known.contains_key(&id) {
            let is_due = |swept| now.saturating_duration_since(swept) >= SWEEP;
            if self.swept.is_none_or(is_due) {
                self.sweep(quotas, now);
            }
            if self.known.len() >= KEPT_PER_SHARD {
                return self.others.get_or_insert_with(fresh);
            }
        }
        self.known.entry(id).or_insert_with(fresh)
    }

    /// Forgets buckets that are in the same state as new ones.
    fn sweep(&mut self, quotas: &[Quota; 3], now: Instant) {
        self.swept = Some(now);
        self.known.retain(|_, buckets| {
            !buckets
                .iter()
                .zip(quotas)
                .all(|(bucket, quota)| bucket.is_new(*quota, now))
        });
        if self.known.capacity() / 8 > self.known.len() {
            self.known.shrink_to(self.known.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests;
