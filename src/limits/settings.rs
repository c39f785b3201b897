//! The limits an operator may change.

use std::{fmt, time::Duration};

use super::{BODY_MEMORY_PART, Limit, Pot, Quota};

/// The limits an operator may change. 0 means off, unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages per second that a connection may send in the long run.
    pub rate_per_second: u32,
    /// Messages that a connection may send at once after a pause.
    pub rate_burst: u32,
    /// Open connections per user.
    pub max_connections_per_user: usize,
    /// Open connections per peer address.
    pub max_connections_per_address: usize,
    /// Open connections in all, within the number of files the process may open; at least 1.
    pub max_connections: usize,
    /// Memory for request bodies, in MiB; at least what one definition needs.
    pub max_body_memory: usize,
    /// Memory that large instances may take together, in MiB.
    pub max_instance_memory: usize,
    /// The rates of all anonymous callers of one address together.
    pub anonymous: Rates,
    /// The rates of one user over all its connections and requests.
    pub user: Rates,
    /// The rates of all users of one address together.
    pub address: Rates,
    /// Live instances that anonymous callers of one address may have started.
    pub anonymous_instances: usize,
    /// When an instance started by an anonymous caller ends if its process has no expiry.
    pub anonymous_instance_expiry: Option<Duration>,
}

/// Allowed rates, over websockets, streams and REST together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Requests, and messages of websockets.
    pub requests: Quota,
    /// Bytes of these messages and of the request bodies.
    pub bytes: Quota,
    /// Starts of instances, which are also counted as requests.
    pub starts: Quota,
}

impl Rates {
    /// No limits.
    pub const OFF: Self = Self {
        requests: Quota::OFF,
        bytes: Quota::OFF,
        starts: Quota::OFF,
    };
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            bytes,
            starts,
        } = self;
        write!(f, "{requests} requests, {bytes} bytes, {starts} starts")
    }
}

const MIB: u64 = 1 << 20;

impl Limits {
    /// The memory for request bodies, and for unread answers and frames.
    pub fn unread_memory(&self) -> Pot {
        let bytes = self.max_body_memory * 1024 * 1024;
        Pot::with_part(bytes, bytes / BODY_MEMORY_PART, Limit::BodyMemory)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate_per_second: 20,
            rate_burst: 60,
            max_connections_per_user: 256,
            max_connections_per_address: 1_024,
            max_connections: 20_000,
            max_body_memory: 128,
            max_instance_memory: super::LIVE_MEMORY >> 20,
            anonymous: Rates {
                requests: Quota::new(100, 400),
                bytes: Quota::new(MIB, 16 * MIB),
                starts: Quota::new(5, 20),
            },
            user: Rates {
                requests: Quota::new(1_000, 5_000),
                bytes: Quota::new(16 * MIB, 128 * MIB),
                starts: Quota::new(200, 1_000),
            },
            address: Rates {
                requests: Quota::new(5_000, 20_000),
                bytes: Quota::new(64 * MIB, 512 * MIB),
                starts: Quota::new(1_000, 5_000),
            },
            anonymous_instances: 1_000,
            anonymous_instance_expiry: Some(Duration::from_secs(24 * 3600)),
        }
    }
}
