//! The open connections: counts per user and address, and the inboxes that a shutdown has to
//! notify.
//!
//! Connections are counted by guards, so one that ends in any way gives its place back. The state
//! of each: `open_connection`.

use std::{
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use dashmap::DashMap;

use super::open_connection::OpenConnection;
use crate::{
    limits::Limit,
    runtime::lists::{Lists, Topic},
    session::{
        auth::principal::{Principal, is_of_tenant},
        inbox::{Inbound, Inbox},
    },
};

/// The shortest time before a connection may reconnect after a drain, in milliseconds.
const RECONNECT_MS: u64 = 500;

/// The open connections.
#[derive(Default)]
pub struct Connections {
    numbers: AtomicU64,
    open: DashMap<u64, Open>,
    lists: Lists,
    by_address: DashMap<IpAddr, usize>,
    by_user: DashMap<String, usize>,
    draining: AtomicBool,
}

/// One of them.
struct Open {
    inbox: Weak<Inbox>,
    about: Arc<OpenConnection>,
}

/// A place for a connection, given back when dropped.
pub struct ConnectionPermit {
    connections: Arc<Connections>,
    what: CountedBy,
}

enum CountedBy {
    Open(u64),
    Address(IpAddr),
    User(String),
}

impl Connections {
    /// Without connections; new and closed ones are reported to these lists.
    pub fn new(lists: Lists) -> Self {
        Self {
            lists,
            ..Self::default()
        }
    }

    /// A place for a connection from this address; `None` if it has `limit` (0 = no limit).
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
            what: CountedBy::Address(address),
        })
    }

    /// A place for a connection of this user; `None` if the user has `limit` (0 = no limit).
    pub fn of_user(self: &Arc<Self>, user: &str, limit: usize) -> Option<ConnectionPermit> {
        let mut count = self.by_user.entry(user.to_owned()).or_default();
        if limit > 0 && *count >= limit {
            Limit::ConnectionsPerUser.refused();
            return None;
        }
        *count += 1;
        Some(ConnectionPermit {
            connections: self.clone(),
            what: CountedBy::User(user.to_owned()),
        })
    }

    /// The number of open connections of a tenant.
    pub fn of_tenant(&self, tenant: &str) -> usize {
        let users = self.by_user.iter();
        let of_tenant = users.filter(|entry| is_of_tenant(entry.key(), tenant));
        of_tenant.map(|entry| *entry.value()).sum()
    }

    /// Adds an open connection, to be notified when the server stops.
    pub fn opened(
        self: &Arc<Self>,
        inbox: &Arc<Inbox>,
        about: &Arc<OpenConnection>,
    ) -> ConnectionPermit {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let open = Open {
            inbox: Arc::downgrade(inbox),
            about: about.clone(),
        };
        self.open.insert(number, open);
        self.changed(about);
        // Its user was looked up before it could be notified of a change.
        inbox.put(Inbound::UsersChanged);
        // Admitted before the drain began, perhaps too late to be notified by it.
        if self.is_draining() {
            inbox.put(Inbound::Drain {
                reconnect_after_ms: RECONNECT_MS,
            });
        }
        ConnectionPermit {
            connections: self.clone(),
            what: CountedBy::Open(number),
        }
    }

    /// The user of a connection is known now.
    pub fn identified(&self, about: &OpenConnection, principal: &Principal, client: Option<&str>) {
        about.identified(principal, client);
        self.changed(about);
    }

    /// Notifies the followers of the list of connections that this one has changed.
    pub fn changed(&self, about: &OpenConnection) {
        if let Some(user) = about.user() {
            self.lists.announce(&user.tenant, Topic::Connections);
        }
    }

    /// The matching connections, the newest first, each with its number, beginning after `after`.
    pub fn listed(
        &self,
        after: Option<u64>,
        wanted: impl Fn(&OpenConnection) -> bool,
    ) -> Vec<(u64, Arc<OpenConnection>)> {
        let open = self.open.iter();
        let mut found: Vec<_> = open
            .filter(|entry| after.is_none_or(|last| *entry.key() < last))
            .filter(|entry| wanted(&entry.about))
            .map(|entry| (*entry.key(), entry.about.clone()))
            .collect();
        found.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        found
    }

    /// Closes a matching connection; returns its entry, if there is one.
    pub fn close(&self, wanted: impl Fn(&OpenConnection) -> bool) -> Option<Arc<OpenConnection>> {
        let found = self.open.iter().find(|entry| wanted(&entry.about))?;
        found.inbox.upgrade()?.put(Inbound::Close);
        Some(found.about.clone())
    }

    /// The number of open connections.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether the server is stopping, so that a new connection would only be cut off.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Makes every connection close with a time at which to reconnect, spread over `spread_ms`, so
    /// that they do not reconnect at once.
    pub fn drain(&self, spread_ms: u64) {
        self.draining.store(true, Ordering::SeqCst);
        let count = self.open.len().max(1) as u64;
        for (turn, entry) in (0..).zip(self.open.iter()) {
            if let Some(inbox) = entry.inbox.upgrade() {
                inbox.put(Inbound::Drain {
                    reconnect_after_ms: RECONNECT_MS + turn * spread_ms / count,
                });
            }
        }
    }

    /// Makes every connection check whether its user still has access.
    pub fn users_changed(&self) {
        let open = self.open.iter();
        for inbox in open.filter_map(|entry| entry.inbox.upgrade()) {
            inbox.put(Inbound::UsersChanged);
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        match &self.what {
            CountedBy::Open(number) => {
                if let Some((_, open)) = self.connections.open.remove(number) {
                    self.connections.changed(&open.about);
                }
            }
            CountedBy::Address(address) => give_back(&self.connections.by_address, address),
            CountedBy::User(user) => give_back(&self.connections.by_user, user),
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
    use super::{super::open_connection::Protocol, *};

    #[test]
    fn a_new_connection_checks_whether_its_user_was_revoked() {
        let connections = Arc::<Connections>::default();
        let (inbox, mut inbound) = Inbox::new(None);
        // It may have been looked up before a change of which it was not notified.
        let about = OpenConnection::new(uuid::Uuid::nil(), Protocol::Websocket, None);
        let place = connections.opened(&Arc::new(inbox), &Arc::new(about));
        assert!(matches!(inbound.try_recv(), Ok(Inbound::UsersChanged)));
        drop(place);
        assert!(connections.is_empty());
    }
}
