//! All connections: the number of each address, idle ones, and overdue ones.
//!
//! # Rationale
//!
//! **One task checks deadlines twice a second**, without a timer per connection: idle connections
//! cost less, and no deadline here needs more precision.
//!
//! **Known addresses are not kept over a restart**, when everybody reconnects at once: the first
//! client of an address that sends a token lets all others there proceed, a few milliseconds after
//! the first connection. So no address is stored on disk for this.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::rt::{self, net::TcpStream, time::timeout};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

use super::{
    LINGER, TransportLimits, connection::TcpConnection, known_addresses::KnownAddresses,
    raw_answer, state::ConnectionEnd,
};
use crate::limits::{
    CONNECTION_TURN, Limit, NEW_CONNECTIONS_AT_ONCE, NEW_CONNECTIONS_PER_SECOND, RATES_KEPT,
};

/// Idle connections that are closed at once when all places are taken.
const RECLAIMED_AT_ONCE: usize = 64;
/// Refused connections that are read to their end at the same time, so that their refusal arrives:
/// at most this many, and at most this part of all connections.
const LINGERING: usize = 64;
const LINGERING_PART: usize = 16;

/// All connections.
pub struct ConnectionTable {
    pub(super) limits: TransportLimits,
    inner: Mutex<Inner>,
    lingering: AtomicUsize,
    itself: std::sync::Weak<Self>,
}

struct Inner {
    next: u64,
    all: HashMap<u64, Arc<TcpConnection>>,
    /// The number of connections that are not being closed.
    open: usize,
    /// Numbers by address, without those of connections that are being closed.
    by_address: HashMap<IpAddr, BTreeSet<u64>>,
    known: KnownAddresses,
    turns: HashMap<IpAddr, AddressTurns>,
}

/// The turns of an address from which no token was sent.
struct AddressTurns {
    /// The turn of its newest connection, past or future.
    newest: Instant,
    /// Closed as soon as a token is sent from there.
    waiting: watch::Sender<()>,
}

/// How long a new connection waits for its turn.
#[derive(Debug)]
pub(super) struct ConnectionTurn {
    wait: Duration,
    known: Option<watch::Receiver<()>>,
}

impl ConnectionTurn {
    /// For a connection that does not wait.
    pub(super) const NOW: Self = Self {
        wait: Duration::ZERO,
        known: None,
    };

    /// Waits for the turn, or until a token is sent from the address.
    pub(super) async fn come(self) {
        if !self.wait.is_zero()
            && let Some(mut known) = self.known
        {
            // Nothing is ever sent: it ends when the channel is closed, or by its timeout.
            let _ = timeout(self.wait, known.changed()).await;
        }
    }

    #[cfg(test)]
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }
}

impl ConnectionTable {
    /// A table without connections.
    pub fn new(limits: TransportLimits) -> Arc<Self> {
        Arc::new_cyclic(|itself| Self {
            limits,
            inner: Mutex::new(Inner {
                next: 0,
                all: HashMap::new(),
                open: 0,
                by_address: HashMap::new(),
                known: KnownAddresses::new(Instant::now()),
                turns: HashMap::new(),
            }),
            lingering: AtomicUsize::new(0),
            itself: itself.clone(),
        })
    }

    /// The number of connections.
    pub fn len(&self) -> usize {
        self.inner().all.len()
    }

    /// Whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A place for a new connection. If there is none, idle connections are closed first: the
    /// oldest one of the address, or some of all.
    ///
    /// # Errors
    /// The limit that was reached, if no connection is idle.
    pub(super) fn admit(
        &self,
        address: IpAddr,
        is_counted: bool,
    ) -> Result<Arc<TcpConnection>, Limit> {
        let mut inner = self.inner();
        let now = Instant::now();
        if is_counted && self.limits.per_address > 0 {
            let of_address = inner.by_address.get(&address).map_or(0, BTreeSet::len);
            if of_address >= self.limits.per_address && !inner.reclaim_of(address) {
                return Err(Limit::ConnectionsPerAddress);
            }
        }
        // The last quarter is for addresses from which a token was sent.
        let is_stranger = is_counted && !inner.known.contain(address, now);
        let room = match is_stranger {
            true => self.limits.connections - self.limits.connections / 4,
            false => self.limits.connections,
        };
        if inner.open >= room && !inner.reclaim_any(is_stranger, now) {
            return Err(Limit::Connections);
        }
        let number = inner.next;
        inner.next += 1;
        let connection = TcpConnection::new(number, address, self.itself.clone());
        let connection = Arc::new(connection);
        inner.all.insert(number, connection.clone());
        inner.open += 1;
        inner.by_address.entry(address).or_default().insert(number);
        Ok(connection)
    }

    /// How long a new connection of this address has to wait for its turn.
    ///
    /// # Errors
    /// The limit, if too many others of the address wait before it.
    pub(super) fn turn(&self, address: IpAddr, now: Instant) -> Result<ConnectionTurn, Limit> {
        let mut inner = self.inner();
        let is_new = !inner.turns.contains_key(&address);
        if inner.known.contain(address, now) || (is_new && inner.turns.len() >= RATES_KEPT) {
            return Ok(ConnectionTurn::NOW);
        }
        let each = Duration::from_secs(1) / NEW_CONNECTIONS_PER_SECOND.get() as u32;
        let turns = inner.turns.entry(address).or_insert_with(|| AddressTurns {
            newest: now,
            waiting: watch::Sender::new(()),
        });
        let turn = turns.newest.max(now) + each;
        let wait = (turn - now).saturating_sub(each * NEW_CONNECTIONS_AT_ONCE.get() as u32);
        if wait > CONNECTION_TURN.get() {
            return Err(Limit::NewConnections);
        }
        turns.newest = turn;
        let known = (!wait.is_zero()).then(|| turns.waiting.subscribe());
        Ok(ConnectionTurn { wait, known })
    }

    /// Sends a peer the refusal that there is no room for it.
    pub(super) async fn refuse(&self, mut stream: TcpStream, limit: Limit) {
        limit.refused();
        let most = LINGERING.min(self.limits.connections / LINGERING_PART);
        if self.lingering.fetch_add(1, Ordering::Relaxed) < most {
            let refusal = async {
                stream.write_all(raw_answer::too_many_connections()).await?;
                stream.shutdown().await?;
                // If bytes were left unread, the system would reset the connection before the
                // response has arrived.
                let mut rest = [0; 4_096];
                while stream.read(&mut rest).await? > 0 {}
                Ok::<_, std::io::Error>(())
            };
            // A peer that does not read is dropped.
            let _ = timeout(LINGER, refusal).await;
        }
        self.lingering.fetch_sub(1, Ordering::Relaxed);
    }

    /// Remembers that a token was sent from this address; connections from there no longer wait for
    /// their turns.
    pub(super) fn remember(&self, address: IpAddr) {
        let mut inner = self.inner();
        inner.known.remember(address, Instant::now());
        inner.turns.remove(&address);
    }

    /// A connection has ended.
    pub(super) fn gone(&self, connection: &TcpConnection) {
        let mut inner = self.inner();
        inner.release(connection);
        inner.all.remove(&connection.number);
    }

    /// Ends connections whose peers have kept the server waiting for too long.
    pub fn sweep(&self, now: Instant) {
        self.inner().turns.retain(|_, turns| turns.newest > now);
        let overdue: Vec<_> = self
            .inner()
            .all
            .values()
            .filter_map(|connection| {
                let overdue = connection.state().overdue(&self.limits, now)?;
                Some((connection.clone(), overdue))
            })
            .collect();
        for (connection, (end, limit)) in overdue {
            if let Some(limit) = limit {
                limit.refused();
            }
            connection.end_by(end);
        }
    }

    /// Searches for overdue connections as long as the server runs.
    pub async fn keep_time(self: Arc<Self>) {
        let shortest = self
            .limits
            .head
            .min(self.limits.idle)
            .min(self.limits.grace);
        let every = (shortest / 8).clamp(Duration::from_millis(1), Duration::from_millis(500));
        loop {
            rt::time::sleep(every).await;
            self.sweep(Instant::now());
        }
    }

    /// Whether a connection is idle.
    #[cfg(test)]
    pub(super) fn has_idle(&self) -> bool {
        let is_idle = |connection: &Arc<TcpConnection>| connection.state().idle_since().is_some();
        self.inner().all.values().any(is_idle)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Closes the connection of this address that has been idle for longest; returns whether there
    /// is one.
    fn reclaim_of(&mut self, address: IpAddr) -> bool {
        let numbers = self.by_address.get(&address).into_iter().flatten();
        let oldest = numbers
            .filter_map(|number| {
                let since = self.all.get(number)?.state().idle_since()?;
                Some((since, *number))
            })
            .min();
        oldest.is_some_and(|(_, number)| self.close(number))
    }

    /// Closes some of the connections that have been idle for longest; returns whether there are
    /// any. For a stranger only those of strangers.
    fn reclaim_any(&mut self, of_strangers: bool, now: Instant) -> bool {
        let known = &mut self.known;
        let mut idle: Vec<_> = self
            .all
            .values()
            .filter_map(|connection| Some((connection.state().idle_since()?, connection)))
            .filter(|(_, connection)| !of_strangers || !known.contain(connection.address, now))
            .map(|(since, connection)| (since, connection.number))
            .collect();
        let some = RECLAIMED_AT_ONCE.min(idle.len());
        if some == 0 {
            return false;
        }
        idle.select_nth_unstable(some - 1);
        for &(_, number) in &idle[..some] {
            self.close(number);
        }
        true
    }

    /// Begins to close a connection: its place is free immediately.
    fn close(&mut self, number: u64) -> bool {
        let Some(connection) = self.all.get(&number).cloned() else {
            return false;
        };
        connection.end_by(ConnectionEnd::Idle);
        self.release(&connection);
        true
    }

    /// Gives a place back, unless that was done before.
    fn release(&mut self, connection: &TcpConnection) {
        let Some(numbers) = self.by_address.get_mut(&connection.address) else {
            return;
        };
        if numbers.remove(&connection.number) {
            self.open -= 1;
        }
        if numbers.is_empty() {
            self.by_address.remove(&connection.address);
        }
    }
}
