//! How much one address or user may ask for per second, over all its websockets, streams and
//! requests together: requests, bytes, starts.
//!
//! Who is no user counts for the address it comes from, with others of that network; a user counts
//! for itself, and beside that for the address, among users only: a stranger takes nothing from
//! users behind the same address. Memory is bounded whatever number of addresses and users appears:
//! buckets that are full again are forgotten, and when there is still no room, those who come new
//! share a few buckets.
//!
//! Not here: what one connection may send (`rate_limit`), how long a refusal is held back
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
    held_back::{Crowds, HeldBack},
    rate_limit::take,
    token_bucket::TokenBucket,
};
use crate::limits::{self, Limit, Limits, Quota, Rates};

/// Parts of a table, each with a lock of its own.
const SHARDS: usize = 16;
/// How often a part forgets the buckets that are full again, at most.
const SWEEP: Duration = Duration::from_secs(1);

/// The rates of all addresses and users.
pub struct SharedRates {
    anonymous: Table,
    users: Table,
    addresses: Table,
    life_signs: Table,
    crowds: Crowds,
    hashes: RandomState,
}

/// Whose rates a request counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    anonymous: Option<u64>,
    user: Option<u64>,
    address: Option<u64>,
}

/// The request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A request, or a message of a websocket, of so many bytes.
    Request(usize),
    /// That it starts an instance.
    Start,
}

/// The rate is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which.
    pub limit: Limit,
    /// When the same would pass.
    pub after: Duration,
}

impl Spent {
    /// What the client gets.
    pub fn sentence(&self) -> String {
        let (what, whose) = match self.limit {
            Limit::AnonymousRequests => ("requests", "from one address without a user's token"),
            Limit::AnonymousBytes => ("bytes", "from one address without a user's token"),
            Limit::AnonymousStarts => ("starts", "from one address without a user's token"),
            Limit::LifeSigns => ("signs of life", "from one address"),
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
            anonymous: Table::new(
                limits.anonymous,
                [
                    Limit::AnonymousRequests,
                    Limit::AnonymousBytes,
                    Limit::AnonymousStarts,
                ],
            ),
            users: Table::new(
                limits.user,
                [Limit::UserRequests, Limit::UserBytes, Limit::UserStarts],
            ),
            addresses: Table::new(
                limits.address,
                [
                    Limit::AddressRequests,
                    Limit::AddressBytes,
                    Limit::AddressStarts,
                ],
            ),
            life_signs: Table::new(
                Rates {
                    requests: limits::LIFE_SIGNS,
                    ..Rates::OFF
                },
                [Limit::LifeSigns; 3],
            ),
            crowds: Crowds::default(),
            hashes: RandomState::new(),
        }
    }

    /// Whose rates the requests of `principal` from `address` count for. Without an address, as on the
    /// local socket, only a user's own.
    pub fn payer(&self, principal: Option<&Principal>, address: Option<IpAddr>) -> Payer {
        let network = address.map(|address| self.hash(limits::network(address)));
        match principal.filter(|principal| !principal.is_anonymous()) {
            None => Payer {
                anonymous: network,
                ..Payer::default()
            },
            Some(principal) => Payer {
                anonymous: None,
                user: Some(self.hash((&principal.caller.tenant, &principal.caller.subject))),
                address: network,
            },
        }
    }

    /// Takes what is asked for out of the rates, unless they are spent.
    ///
    /// # Errors
    /// [`Spent`]; it is counted as refused.
    pub fn admit(&self, payer: Payer, asked: Asked, now: Instant) -> Result<(), Spent> {
        let paying = [
            (&self.anonymous, payer.anonymous),
            (&self.addresses, payer.address),
            (&self.users, payer.user),
        ];
        for (table, id) in paying {
            if let Some(id) = id {
                table.admit(id, asked, now).inspect_err(|spent| {
                    spent.limit.refused();
                })?;
            }
        }
        Ok(())
    }

    /// Takes bytes out of the rates that what was asked for has cost: when they are more than is
    /// left, the next request waits for them.
    pub fn owe(&self, payer: Payer, bytes: usize, now: Instant) {
        let paying = [
            (&self.anonymous, payer.anonymous),
            (&self.addresses, payer.address),
            (&self.users, payer.user),
        ];
        for (table, id) in paying {
            if let Some(id) = id {
                table.owe(id, bytes, now);
            }
        }
    }

    /// Takes a sign of life out of the rate of its address. Without an address there is none.
    ///
    /// # Errors
    /// [`Spent`]; it is counted as refused.
    pub fn admit_life_sign(&self, address: Option<IpAddr>, now: Instant) -> Result<(), Spent> {
        let Some(address) = address else {
            return Ok(());
        };
        let network = self.hash(limits::network(address));
        let admitted = self.life_signs.admit(network, Asked::Request(0), now);
        admitted.inspect_err(|spent| spent.limit.refused())
    }

    /// One more refusal is held back for who pays, until this is dropped.
    pub fn hold_back(&self, payer: Payer) -> HeldBack {
        let whose = payer.anonymous.or(payer.address).or(payer.user);
        self.crowds.enter(whose.unwrap_or_default())
    }

    fn hash(&self, key: impl Hash) -> u64 {
        self.hashes.hash_one(key)
    }
}

/// Buckets of many: by a hash that nobody outside can compute, so that keys take no room.
struct Table {
    quotas: [Quota; 3],
    limits: [Limit; 3],
    shards: [Mutex<Shard>; SHARDS],
}

type Buckets = [TokenBucket; 3];

struct Shard {
    known: HashMap<u64, Buckets>,
    /// Of those that there is no room for.
    others: Option<Buckets>,
    swept: Option<Instant>,
}

impl Table {
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

    fn admit(&self, id: u64, asked: Asked, now: Instant) -> Result<(), Spent> {
        let amounts = match asked {
            Asked::Request(bytes) => [1.0, bytes as f64, 0.0],
            Asked::Start => [0.0, 0.0, 1.0],
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
            Some(after) => Err(Spent {
                limit: self.limits[after.bucket],
                after: after.wait,
            }),
        }
    }
}

impl Table {
    fn owe(&self, id: u64, bytes: usize, now: Instant) {
        let shard = &self.shards[id as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let [_, of_bytes, _] = shard.buckets(id, &self.quotas, now);
        of_bytes.owe(self.quotas[1], bytes as f64, now);
    }
}

impl Shard {
    fn buckets(&mut self, id: u64, quotas: &[Quota; 3], now: Instant) -> &mut Buckets {
        const MOST: usize = limits::RATES_KEPT / SHARDS;
        let fresh = || quotas.map(|quota| TokenBucket::new(quota, now));
        if !self.known.contains_key(&id) {
            let is_due = |swept| now.saturating_duration_since(swept) >= SWEEP;
            if self.swept.is_none_or(is_due) {
                self.sweep(quotas, now);
            }
            if self.known.len() >= MOST {
                return self.others.get_or_insert_with(fresh);
            }
        }
        self.known.entry(id).or_insert_with(fresh)
    }

    /// Forgets the buckets that are as new ones.
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
