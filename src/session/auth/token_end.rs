//! The expiry of a token that is in use.
//!
//! Two clocks decide, whichever is first: the machine's clock, by which the token was made, and a
//! steady one. So setting the clock forward ends tokens that have then expired, and setting it back
//! makes no connection last longer. Not here: whether a token is valid when it is sent (`token`);
//! the machine's clock decides that.

use std::time::Duration;

use crate::{
    model::ids::Time,
    runtime::clock::{real_now, steady_now},
};

/// The end of a token that was valid a moment ago.
#[derive(Clone, Copy, Debug)]
pub struct TokenEnd {
    by_clock: Time,
    at_latest: Time,
}

impl TokenEnd {
    /// The end of a token that expires then, by the machine's clock.
    pub fn at(end: Time) -> Self {
        Self::seen_at(end, real_now(), steady_now())
    }

    fn seen_at(end: Time, now: Time, steady: Time) -> Self {
        let rest = end.0.saturating_sub(now.0);
        Self {
            by_clock: end,
            at_latest: Time(steady.0.saturating_add(rest)),
        }
    }

    /// How long it is still valid, at most.
    pub fn rest(self) -> Duration {
        self.rest_at(real_now(), steady_now())
    }

    fn rest_at(self, now: Time, steady: Time) -> Duration {
        let by_clock = self.by_clock.0.saturating_sub(now.0);
        let at_latest = self.at_latest.0.saturating_sub(steady.0);
        Duration::from_millis(by_clock.min(at_latest).max(0).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_token_ends_with_the_first_of_two_clocks() {
        let end = TokenEnd::seen_at(Time(10 * HOUR), Time(9 * HOUR), Time(5_000));
        let rest = |now: i64, steady: i64| end.rest_at(Time(now), Time(steady)).as_millis();
        assert_eq!(rest(9 * HOUR, 5_000), 3_600_000);
        assert_eq!(rest(9 * HOUR + 1_000, 6_000), 3_599_000);
        assert_eq!(rest(10 * HOUR, 6_000), 0, "the clock was set forward");
        assert_eq!(rest(8 * HOUR, 5_000 + HOUR), 0, "the clock was set back");
    }
}
