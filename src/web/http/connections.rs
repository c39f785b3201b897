//! Who is connected: counts per user and address, and the inboxes that a shutdown has to tell.
//!
//! Counted by guards, so a connection that ends in any way gives its place back.

use std::{
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use dashmap::DashMap;

use crate::{
    limits::Limit,
    session::{
        auth::principal::is_of_tenant,
        inbox::{Inbound, Inbox},
    },
};

/// Before the first connection may come back after a drain, in milliseconds.
const RECONNECT_MS: u64 = 500;

/// The open connections.
#[derive(Default)]
pub struct Connections {
    numbers: AtomicU64,
    open: DashMap<u64, Weak<Inbox>>,
    by_address: DashMap<IpAddr, usize>,
    by_user: DashMap<String, usize>,
    draining: AtomicBool,
}

/// A place that is given back when dropped.
pub struct ConnectionPermit {
    connections: Arc<Connections>,
    what: Counted,
}

enum Counted {
    Open(u64),
    Address(IpAddr),
    User(String),
}

impl Connections {
    /// A place for a connection from this address; `None` when it has as many as `limit` (0 = no
    /// limit).
    pub fn from_address(
        self: &Arc<Self>,
        address: IpAddr,
        limit: usize,
    ) -> Option<ConnectionPermit> {
        let mut count = self.by_address.entry(address).or_default();
        if limit > 0 && *count >= limit {
            Limit::ConnectionsPerAddress.refused();
            return None;
        }
        *count += 1;
        Some(ConnectionPermit {
            connections: self.clone(),
            what: Counted::Address(address),
        })
    }

    /// A place for a connection of this user; `None` when it has as many as `limit` (0 = no limit).
    pub fn of_user(self: &Arc<Self>, user: &str, limit: usize) -> Option<ConnectionPermit> {
        let mut count = self.by_user.entry(user.to_owned()).or_default();
        if limit > 0 && *count >= limit {
            Limit::ConnectionsPerUser.refused();
            return None;
        }
        *count += 1;
        Some(ConnectionPermit {
            connections: self.clone(),
            what: Counted::User(user.to_owned()),
        })
    }

    /// How many those of a tenant have open.
    pub fn of_tenant(&self, tenant: &str) -> usize {
        let users = self.by_user.iter();
        let of_tenant = users.filter(|entry| is_of_tenant(entry.key(), tenant));
        of_tenant.map(|entry| *entry.value()).sum()
    }

    /// Notes an open connection, to be told when the server goes down.
    pub fn opened(self: &Arc<Self>, inbox: &Arc<Inbox>) -> ConnectionPermit {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.open.insert(number, Arc::downgrade(inbox));
        // Whoever it is was looked up before it could be told of a change.
        inbox.put(Inbound::UsersChanged);
        // Admitted before the drain began, and perhaps too late to be found by it.
        if self.is_draining() {
            inbox.put(Inbound::Drain {
                reconnect_after_ms: RECONNECT_MS,
            });
        }
        ConnectionPermit {
            connections: self.clone(),
            what: Counted::Open(number),
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether the server is going down, so that a new connection would only be cut.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Tells every connection to go and when to come back: spread over `spread_ms`, so that they do
    /// not come back at once.
    pub fn drain(&self, spread_ms: u64) {
        self.draining.store(true, Ordering::SeqCst);
        let count = self.open.len().max(1) as u64;
        for (turn, entry) in (0..).zip(self.open.iter()) {
            if let Some(inbox) = entry.value().upgrade() {
                inbox.put(Inbound::Drain {
                    reconnect_after_ms: RECONNECT_MS + turn * spread_ms / count,
                });
            }
        }
    }

    /// Has every connection look whether its user may still be there.
    pub fn users_changed(&self) {
        for inbox in self.open.iter().filter_map(|entry| entry.value().upgrade()) {
            inbox.put(Inbound::UsersChanged);
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        match &self.what {
            Counted::Open(number) => drop(self.connections.open.remove(number)),
            Counted::Address(address) => give_back(&self.connections.by_address, address),
            Counted::User(user) => give_back(&self.connections.by_user, user),
        }
    }
}

fn give_back<K: Eq + std::hash::Hash>(counts: &DashMap<K, usize>, key: &K) {
    if let Some(mut count) = counts.get_mut(key) {
        *count -= 1;
    }
    counts.remove_if(key, |_, count| *count == 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_connects_looks_whether_its_user_may_still_be_there() {
        let connections = Arc::<Connections>::default();
        let (inbox, mut inbound) = Inbox::new(None);
        // It may have been looked up before a change that nobody has told it of.
        let place = connections.opened(&Arc::new(inbox));
        assert!(matches!(inbound.try_recv(), Ok(Inbound::UsersChanged)));
        drop(place);
        assert!(connections.is_empty());
    }
}
