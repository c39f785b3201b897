//! One open connection as operators see it: its user, since when it is open, how much it follows,
//! and whether it keeps up.
//!
//! The connection's task writes changes here; lists of connections only read. Not here: all
//! connections (`connections`).

use std::{
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::ids::Time,
    runtime::clock::real_now,
    session::{auth::principal::Principal, connection::Connection},
};

/// The transport of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    /// A websocket.
    Websocket,
    /// Server-sent events of an instance.
    Events,
    /// Server-sent events of the jobs API.
    Jobs,
    /// A websocket of a trial.
    Trial,
}

/// The user of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedUser {
    /// Its tenant.
    pub tenant: String,
    /// Its subject.
    pub subject: String,
    /// Whether it has no token of a user.
    pub anonymous: bool,
}

/// An open connection.
pub struct OpenConnection {
    /// The `connection` of its `welcome`.
    pub id: Uuid,
    /// Its transport.
    pub protocol: Protocol,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// When it was opened, by the machine's clock.
    pub opened_at: Time,
    user: Mutex<Option<ConnectedUser>>,
    client: Mutex<Option<String>>,
    subscriptions: AtomicUsize,
    queued: AtomicUsize,
    sent: AtomicU64,
    /// 0 while it keeps up.
    blocked_since: AtomicI64,
}

/// The state of a connection at one moment.
#[derive(Clone, Debug)]
pub struct ConnectionLoad {
    /// Instances and lists that it follows.
    pub subscriptions: usize,
    /// Frames that wait for the socket.
    pub queued: usize,
    /// Frames that were sent.
    pub sent: u64,
    /// Since when the client has not been reading.
    pub blocked_since: Option<Time>,
}

impl OpenConnection {
    /// A connection that was just opened.
    pub fn new(id: Uuid, protocol: Protocol, address: Option<IpAddr>) -> Self {
        Self {
            id,
            protocol,
            address,
            opened_at: real_now(),
            user: Mutex::default(),
            client: Mutex::default(),
            subscriptions: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            blocked_since: AtomicI64::new(0),
        }
    }

    /// Its user is known now.
    pub fn identified(&self, principal: &Principal, client: Option<&str>) {
        let user = ConnectedUser {
            tenant: principal.caller.tenant.clone(),
            subject: principal.caller.subject.clone(),
            anonymous: principal.is_anonymous(),
        };
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = Some(user);
        let mut known = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *known = client.map(str::to_owned);
    }

    /// Its user; `None` before `hello`.
    pub fn user(&self) -> Option<ConnectedUser> {
        let user = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        user.clone()
    }

    /// Name and version of the client, according to its `hello`.
    pub fn client(&self) -> Option<String> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone()
    }

    /// Records the state of the connection.
    pub fn note(&self, connection: &Connection) {
        let store = |to: &AtomicUsize, value| to.store(value, Ordering::Relaxed);
        store(&self.subscriptions, connection.subscription_count());
        store(&self.queued, connection.queued());
    }

    /// Records that it follows one thing, all the time.
    pub fn note_one_followed(&self) {
        self.subscriptions.store(1, Ordering::Relaxed);
    }

    /// Counts a frame that was sent.
    pub fn note_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Records whether the client is not reading at present.
    pub fn note_blocked(&self, is_blocked: bool) {
        let was_blocked = self.blocked_since.load(Ordering::Relaxed) != 0;
        if was_blocked != is_blocked {
            let since = if is_blocked { real_now().0 } else { 0 };
            self.blocked_since.store(since, Ordering::Relaxed);
        }
    }

    /// The state that was last recorded.
    pub fn load(&self) -> ConnectionLoad {
        let since = self.blocked_since.load(Ordering::Relaxed);
        ConnectionLoad {
            subscriptions: self.subscriptions.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            blocked_since: (since != 0).then_some(Time(since)),
        }
    }
}
