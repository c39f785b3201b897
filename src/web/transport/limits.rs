//! The limits of the transport as values, so that tests can reach them.

use std::time::Duration;

use crate::limits;

/// The limits of a connection, of an address, and of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportLimits {
    /// [`limits::REQUEST_HEAD`].
    pub head: Duration,
    /// [`limits::IDLE_CONNECTION`].
    pub idle: Duration,
    /// [`limits::READ_AHEAD_BYTES`].
    pub read_ahead: usize,
    /// [`limits::TRANSFER_GRACE`].
    pub grace: Duration,
    /// [`limits::TRANSFER_BYTES_PER_SECOND`].
    pub bytes_per_second: u64,
    /// Connections of one address; 0 = no limit.
    pub per_address: usize,
    /// Connections in all.
    pub connections: usize,
}

impl TransportLimits {
    /// The limits of a server with these numbers of connections.
    pub fn new(per_address: usize, connections: usize) -> Self {
        Self {
            head: limits::REQUEST_HEAD.get(),
            idle: limits::IDLE_CONNECTION.get(),
            read_ahead: limits::READ_AHEAD_BYTES,
            grace: limits::TRANSFER_GRACE.get(),
            bytes_per_second: limits::TRANSFER_BYTES_PER_SECOND.get() as u64,
            per_address,
            connections,
        }
    }

    /// How many bytes have to have passed after this time.
    pub fn bytes_after(&self, elapsed: Duration) -> u64 {
        let counted = elapsed.saturating_sub(self.grace).as_millis() as u64;
        counted.saturating_mul(self.bytes_per_second) / 1_000
    }
}
