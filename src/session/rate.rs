//! How much one connection may send: messages and bytes, by token bucket, and when being over it
//! becomes a flood.
//!
//! Not here: connections per user and address (`web`). No library: governor reads its clock itself,
//! has no notion of "over the rate for so long", and needs two limiters for what are two numbers
//! here.

use std::time::{Duration, Instant};

use crate::limits;

/// Without a refusal for this long, being over the rate has ended.
const CALM: Duration = Duration::from_secs(1);

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may be handled.
    Pass,
    /// It is refused with `rate_limited` and this `afterMs`: then it would pass.
    Limited {
        /// Milliseconds until it passes, behind those that were refused before; at least 1.
        after_ms: u64,
    },
    /// The client has been over its rate for [`limits::FLOOD`] without a calm second: close 4429.
    Flood,
}

/// The rate limit of one connection.
pub struct Rate {
    messages: Option<Bucket>,
    bytes: Option<Bucket>,
    over: Option<Over>,
    /// When the next message that is refused may come again: each gets a turn of its own, so that
    /// many that are sent again do not meet.
    next_turn: Instant,
    /// Between two turns.
    turn: Duration,
}

/// A time of being over the rate: its first and its latest refusal.
struct Over {
    since: Instant,
    latest: Instant,
}

impl Rate {
    /// A full allowance of `burst` messages, refilled at `per_second`, and in proportion of bytes.
    /// 0 in either is off.
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let on = per_second > 0 && burst > 0;
        let bytes_per_message = f64::from(limits::RATE_MESSAGE_BYTES);
        let (refill, size) = (f64::from(per_second), f64::from(burst));
        // The largest message must pass whatever the burst is.
        let bytes = (size * bytes_per_message).max(limits::MESSAGE_BYTES as f64);
        Self {
            messages: on.then(|| Bucket::new(refill, size, now)),
            bytes: on.then(|| Bucket::new(refill * bytes_per_message, bytes, now)),
            over: None,
            next_turn: now,
            turn: if on {
                Duration::from_secs(1) / per_second
            } else {
                Duration::ZERO
            },
        }
    }

    /// Decides over a message of `bytes` that came at `now`. A refused one takes nothing from the
    /// allowance.
    pub fn admit(&mut self, bytes: usize, now: Instant) -> Admission {
        let (Some(messages), Some(volume)) = (&mut self.messages, &mut self.bytes) else {
            return Admission::Pass;
        };
        let wait = messages.wait(1.0, now).max(volume.wait(bytes as f64, now));
        if wait.is_zero() {
            messages.level -= 1.0;
            volume.level -= bytes as f64;
            return Admission::Pass;
        }
        let since = match &self.over {
            Some(over) if now.saturating_duration_since(over.latest) < CALM => over.since,
            _ => now,
        };
        self.over = Some(Over { since, latest: now });
        if now.saturating_duration_since(since) >= limits::FLOOD {
            return Admission::Flood;
        }
        Admission::Limited {
            after_ms: self.take_turn(wait, now).as_nanos().div_ceil(1_000_000) as u64,
        }
    }

    /// How long a refused message waits for its turn; not longer than for as many as a connection
    /// may have unanswered.
    fn take_turn(&mut self, wait: Duration, now: Instant) -> Duration {
        let latest = now + wait + self.turn * limits::UNANSWERED_COMMANDS as u32;
        self.next_turn = (self.next_turn + self.turn).clamp(now + wait, latest);
        self.next_turn.duration_since(now)
    }
}

struct Bucket {
    /// What is left, as of `filled`.
    level: f64,
    size: f64,
    /// Refill per second.
    refill: f64,
    filled: Instant,
}

impl Bucket {
    fn new(refill: f64, size: f64, now: Instant) -> Self {
        Self {
            level: size,
            size,
            refill,
            filled: now,
        }
    }

    /// Refills it, and tells how long until it holds `amount`; zero when it does. What is larger
    /// than the bucket waits for a full one.
    fn wait(&mut self, amount: f64, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.level = (self.level + passed * self.refill).min(self.size);
        self.filled = self.filled.max(now);
        // Less than a millionth is the rounding of the refill, not a missing message.
        let missing = amount.min(self.size) - self.level;
        if missing < 1e-6 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(missing / self.refill)
        }
    }
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

    /// Sends every `step` milliseconds for a minute; when it was closed, if it was.
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

    /// What a connection had unanswered, all sent at once after a cut.
    #[test]
    fn what_is_sent_again_after_a_cut_passes_when_its_turn_comes() {
        let start = Instant::now();
        let mut rate = Rate::new(20, 60, start);
        let mut due = std::collections::BinaryHeap::from_iter(
            (0..limits::UNANSWERED_COMMANDS).map(|_| std::cmp::Reverse(0)),
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
            sent <= 2 * limits::UNANSWERED_COMMANDS,
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
