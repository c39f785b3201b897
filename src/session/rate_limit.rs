//! The rate limit of one connection: messages and bytes, by token buckets, and the detection of a
//! flood.
//!
//! Not here: the rates of a user or address over all connections and requests (`shared_rates`);
//! connections per user and address (`web`). There is no library for it: governor reads its clock
//! itself, cannot tell how long a rate has been exceeded, and needs two limiters for the two
//! numbers here.
//!
//! # Rationale
//!
//! **A `pong` counts towards the rate, and is refused like any other frame**; otherwise a client
//! could keep the server busy with them.

use std::time::{Duration, Instant};

use super::token_bucket::TokenBucket;
use crate::limits::{self, Quota};

/// After this long without a refusal, a flood has ended.
const CALM: Duration = Duration::from_secs(1);

/// The decision about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is handled.
    Pass,
    /// It is refused with `rate_limited` and this `afterMs`, after which it would be accepted.
    Limited {
        /// Milliseconds until it is accepted, after those refused before; at least 1.
        after_ms: u64,
    },
    /// The client has been over its rate for [`limits::FLOOD`] without a second below it: close
    /// 4429.
    Flood,
}

/// The rate limit of one connection.
pub struct Rate {
    quotas: [Quota; 2],
    /// The buckets of messages and of bytes.
    buckets: [TokenBucket; 2],
    over: Option<OverRate>,
}

/// A period over the rate: its first and its latest refusal.
struct OverRate {
    since: Instant,
    latest: Instant,
}

impl Rate {
    /// A full bucket of `burst` messages, refilled at `per_second`, and one of bytes in proportion.
    /// 0 in either means no limit.
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let messages = Quota::new(per_second.into(), burst.into());
        let bytes_per_message = u64::from(limits::RATE_MESSAGE_BYTES);
        // The largest message must pass, however small the burst is.
        let bytes = (messages.burst * bytes_per_message).max(limits::MESSAGE_BYTES as u64);
        let quotas = if messages.is_on() {
            [
                messages,
                Quota::new(messages.per_second * bytes_per_message, bytes),
            ]
        } else {
            [Quota::OFF; 2]
        };
        Self {
            quotas,
            buckets: quotas.map(|quota| TokenBucket::new(quota, now)),
            over: None,
        }
    }

    /// Decides about a message of `bytes` that arrived at `now`. A refused message takes nothing
    /// from the buckets.
    pub fn admit(&mut self, bytes: usize, now: Instant) -> Admission {
        let Some(after) = take(&mut self.buckets, &self.quotas, [1.0, bytes as f64], now) else {
            return Admission::Pass;
        };
        let since = match &self.over {
            Some(over) if now.saturating_duration_since(over.latest) < CALM => over.since,
            _ => now,
        };
        self.over = Some(OverRate { since, latest: now });
        if now.saturating_duration_since(since) >= limits::FLOOD.get() {
            return Admission::Flood;
        }
        Admission::Limited {
            after_ms: after.wait.as_nanos().div_ceil(1_000_000) as u64,
        }
    }
}

/// The bucket that had too little, and the time until the turn of the refused message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RateWait {
    pub bucket: usize,
    pub wait: Duration,
}

/// Takes an amount from each bucket, or nothing from any if one has too little.
pub(super) fn take<const N: usize>(
    buckets: &mut [TokenBucket; N],
    quotas: &[Quota; N],
    amounts: [f64; N],
    now: Instant,
) -> Option<RateWait> {
    let mut after: Option<RateWait> = None;
    for (index, bucket) in buckets.iter_mut().enumerate() {
        let (quota, amount) = (quotas[index], amounts[index]);
        // A request that takes nothing from a bucket need not wait for it, even while it is in
        // debt.
        if amount <= 0.0 {
            continue;
        }
        let wait = bucket.wait(quota, amount, now);
        if wait.is_zero() {
            continue;
        }
        let wait = bucket.turn(quota, amount, wait, now);
        if after.is_none_or(|after| after.wait < wait) {
            after = Some(RateWait {
                bucket: index,
                wait,
            });
        }
    }
    if after.is_none() {
        for (index, bucket) in buckets.iter_mut().enumerate() {
            bucket.take(quotas[index], amounts[index]);
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(20, 60, start);
        assert!((0..60).all(|_| rate.admit(100, start) == Admission::Pass));
        assert_eq!(rate.admit(100, start), Admission::Limited { after_ms: 50 });
        assert_eq!(
            rate.admit(100, after(start, 49)),
            Admission::Limited { after_ms: 51 },
            "behind the one before"
        );
        assert_eq!(rate.admit(100, after(start, 50)), Admission::Pass);
        let passed = (51..10_051)
            .filter(|&millis| rate.admit(1, after(start, millis)) == Admission::Pass)
            .count();
        assert_eq!(passed, 200);
    }

    #[test]
    fn bytes_count_too() {
        let start = Instant::now();
        let mut rate = Rate::new(1, 4, start);
        assert_eq!(rate.admit(limits::MESSAGE_BYTES, start), Admission::Pass);
        assert_eq!(rate.admit(limits::MESSAGE_BYTES, start), Admission::Pass);
        assert_eq!(
            rate.admit(limits::MESSAGE_BYTES, start),
            Admission::Limited { after_ms: 2_000 }
        );
        assert_eq!(
            rate.admit(limits::MESSAGE_BYTES, after(start, 2_000)),
            Admission::Pass
        );
        let mut narrow = Rate::new(1, 1, start);
        assert_eq!(
            narrow.admit(limits::MESSAGE_BYTES, start),
            Admission::Pass,
            "the largest message passes"
        );
    }

    /// Sends every `step` milliseconds for a minute; returns when it was closed, if it was.
    fn closed_at(step: u64) -> Option<u64> {
        let start = Instant::now();
        let mut rate = Rate::new(20, 60, start);
        (0..60_000)
            .step_by(step as usize)
            .find(|&millis| rate.admit(10, after(start, millis)) == Admission::Flood)
    }

    #[test]
    fn over_the_rate_for_ten_seconds_is_a_flood() {
        assert_eq!(closed_at(50), None, "exactly the rate");
        let flood = closed_at(1).unwrap();
        assert!((10_000..10_200).contains(&flood), "{flood}");
        assert!(closed_at(25).is_some(), "twice the rate");
    }

    #[test]
    fn a_client_that_heeds_after_ms_is_never_closed() {
        let start = Instant::now();
        let mut rate = Rate::new(2, 2, start);
        let mut millis = 0;
        for _ in 0..200 {
            match rate.admit(10, after(start, millis)) {
                Admission::Pass => millis += 600,
                Admission::Limited { after_ms } => millis += after_ms,
                Admission::Flood => panic!("closed at {millis} ms"),
            }
        }
    }

    /// All unanswered commands of a connection are sent again at once after a cut.
    #[test]
    fn commands_resent_after_a_cut_pass_within_the_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(20, 60, start);
        let mut due = std::collections::BinaryHeap::from_iter(
            (0..limits::UNANSWERED_COMMANDS.get()).map(|_| std::cmp::Reverse(0)),
        );
        let mut sent = 0;
        while let Some(std::cmp::Reverse(millis)) = due.pop() {
            sent += 1;
            match rate.admit(10, after(start, millis)) {
                Admission::Pass => {}
                Admission::Limited { after_ms } => due.push(std::cmp::Reverse(millis + after_ms)),
                Admission::Flood => panic!("closed at {millis} ms"),
            }
        }
        assert!(
            sent <= 2 * limits::UNANSWERED_COMMANDS.get(),
            "each is sent again once: {sent}"
        );
    }

    #[test]
    fn zero_is_off() {
        let start = Instant::now();
        for (per_second, burst) in [(0, 60), (20, 0)] {
            let mut rate = Rate::new(per_second, burst, start);
            assert!((0..10_000).all(|_| rate.admit(60_000, start) == Admission::Pass));
        }
    }
}
