//! When a failed call is tried again. Pauses are process time, so they stop when the clock stops.
//!
//! # Rationale
//!
//! **A retry sends what was recorded** under the key of the record: a request with newly rendered
//! templates under the old key would be another request for the receiver. A failed call is an
//! incident; a definition that branches on a status counts it as success.

use std::time::Duration;

use crate::{limits::CALL_PAUSE, model::ids::Time};

/// Pauses before the retries of a webhook: a receiver may be down for more than a day.
pub const WEBHOOK_PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(24 * 3600),
];

/// The pause after this many attempts of an `httpRequest`: as its `Retry-After` asks, otherwise
/// doubling.
pub fn pause(backoff_ms: u64, attempts: u32, requested: Option<Duration>) -> Duration {
    let doubled = backoff_ms.saturating_mul(1 << attempts.saturating_sub(1).min(32));
    Duration::from_millis(doubled)
        .max(requested.unwrap_or_default())
        .min(CALL_PAUSE)
}

/// The process time after a pause.
pub fn after(now: Time, pause: Duration) -> Time {
    Time(
        now.0
            .saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)),
    )
}
