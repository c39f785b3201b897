//! A token bucket that gives a turn to each refused request.
//!
//! It refills steadily up to its size; a request that wants more than is left gets the time at
//! which to repeat it. Each refused request gets a turn of its own, so that many clients that
//! repeat at their times do not compete: waiting for the announced time is enough. The quota is an
//! argument, so that many buckets with the same quota are small. Not here: whose bucket it is
//! (`rate_limit`, `shared_rates`).
//!
//! # Rationale
//!
//! **Rate limits use a token bucket of our own**: the available library reads its own clock and
//! does not know how long a rate has been exceeded.

use std::time::{Duration, Instant};

use crate::limits::{self, Quota};

/// The state of a bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    /// At the time `filled`.
    level: f64,
    filled: Instant,
    /// The next free turn for a refused request.
    next_turn: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(quota: Quota, now: Instant) -> Self {
        Self {
            level: quota.burst as f64,
            filled: now,
            next_turn: now,
        }
    }

    /// Refills it, and returns the time until it has `amount`; zero if it has. An amount larger
    /// than the bucket waits for a full one.
    pub fn wait(&mut self, quota: Quota, amount: f64, now: Instant) -> Duration {
        if !quota.is_on() {
            return Duration::ZERO;
        }
        self.level = self.level_at(quota, now);
        self.filled = self.filled.max(now);
        // Less than a millionth is a rounding error of the refill, not a missing message.
        let missing = amount.min(quota.burst as f64) - self.level;
        if missing < 1e-6 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(missing / quota.per_second as f64)
        }
    }

    /// Takes an amount for which no wait is needed. An amount larger than the bucket empties it.
    pub fn take(&mut self, quota: Quota, amount: f64) {
        if quota.is_on() {
            self.level = (self.level - amount).max(0.0);
        }
    }

    /// Takes an amount that was not known before. What is missing becomes a debt, at most the
    /// refill of [`limits::RATE_OWED`].
    pub fn owe(&mut self, quota: Quota, amount: f64, now: Instant) {
        if quota.is_on() {
            let maximum = limits::RATE_OWED.as_secs_f64() * quota.per_second as f64;
            self.level = (self.level_at(quota, now) - amount).max(-maximum);
            self.filled = self.filled.max(now);
        }
    }

    /// The time at which a refused request, which has to wait this long, may be repeated: after the
    /// turns of those refused before, but not of more than a connection may have unanswered.
    pub fn turn(&mut self, quota: Quota, amount: f64, wait: Duration, now: Instant) -> Duration {
        let amount = amount.min(quota.burst as f64);
        let turn = Duration::from_secs_f64(amount / quota.per_second as f64);
        let latest = now + wait + turn * limits::UNANSWERED_COMMANDS.get() as u32;
        self.next_turn = (self.next_turn + turn).clamp(now + wait, latest);
        self.next_turn.duration_since(now)
    }

    /// Whether it is in the state of a new bucket, and no refused request waits.
    pub fn is_new(&self, quota: Quota, now: Instant) -> bool {
        !quota.is_on() || (self.level_at(quota, now) >= quota.burst as f64 && self.next_turn <= now)
    }

    fn level_at(&self, quota: Quota, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.level + passed * quota.per_second as f64).min(quota.burst as f64)
    }
}
