//! A token bucket, and turns for those whom it refuses.
//!
//! It refills steadily up to its size; who wants more than is left learns when to come again.
//! Each of those gets a turn of its own, so that many clients that come again at their time do not
//! meet: obeying suffices. What it allows is an argument, so that many buckets of one kind are
//! small. Not here: whose bucket it is (`rate_limit`, `shared_rates`).
//!
//! # Why so
//!
//! **Rate limits are a token bucket of our own**: the library at hand reads its own clock and
//! does not know "over for 10 s".

use std::time::{Duration, Instant};

use crate::limits::{self, Quota};

/// What is left of a quota.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    /// As of `filled`.
    level: f64,
    filled: Instant,
    /// When the next one that is refused may come again.
    next_turn: Instant,
}

impl TokenBucket {
    /// A full one.
    pub fn new(quota: Quota, now: Instant) -> Self {
        Self {
            level: quota.burst as f64,
            filled: now,
            next_turn: now,
        }
    }

    /// Refills it, and tells how long until it holds `amount`; zero when it does. What is larger
    /// than the bucket waits for a full one.
    pub fn wait(&mut self, quota: Quota, amount: f64, now: Instant) -> Duration {
        if !quota.is_on() {
            return Duration::ZERO;
        }
        self.level = self.level_at(quota, now);
        self.filled = self.filled.max(now);
        // Less than a millionth is the rounding of the refill, not a missing message.
        let missing = amount.min(quota.burst as f64) - self.level;
        if missing < 1e-6 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(missing / quota.per_second as f64)
        }
    }

    /// Takes an amount there is no wait for. What is larger than the bucket leaves it empty.
    pub fn take(&mut self, quota: Quota, amount: f64) {
        if quota.is_on() {
            self.level = (self.level - amount).max(0.0);
        }
    }

    /// Takes an amount that was not known before; what it does not hold is owed, up to what comes in
    /// [`limits::RATE_OWED`].
    pub fn owe(&mut self, quota: Quota, amount: f64, now: Instant) {
        if quota.is_on() {
            let most = limits::RATE_OWED.as_secs_f64() * quota.per_second as f64;
            self.level = (self.level_at(quota, now) - amount).max(-most);
            self.filled = self.filled.max(now);
        }
    }

    /// When one that is refused, and would have to wait this long, may come again: behind those
    /// that were refused before, but not behind more than a connection may have unanswered.
    pub fn turn(&mut self, quota: Quota, amount: f64, wait: Duration, now: Instant) -> Duration {
        let amount = amount.min(quota.burst as f64);
        let turn = Duration::from_secs_f64(amount / quota.per_second as f64);
        let latest = now + wait + turn * limits::UNANSWERED_COMMANDS as u32;
        self.next_turn = (self.next_turn + turn).clamp(now + wait, latest);
        self.next_turn.duration_since(now)
    }

    /// Whether it is as a new one, with nobody waiting.
    pub fn is_new(&self, quota: Quota, now: Instant) -> bool {
        !quota.is_on() || (self.level_at(quota, now) >= quota.burst as f64 && self.next_turn <= now)
    }

    fn level_at(&self, quota: Quota, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.level + passed * quota.per_second as f64).min(quota.burst as f64)
    }
}
