//! Whether and when to reconnect after a connection was lost, depending on the close code, as
//! `docs/protocol.md` says.

use std::time::Duration;

/// The upper bound of the first delay; it doubles with each attempt.
const FIRST: Duration = Duration::from_millis(250);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(15);
/// The shortest delay after a flood.
const FLOOD: Duration = Duration::from_secs(10);

/// How to continue after a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterClose {
    /// Reconnect.
    Reconnect,
    /// Reconnect once, with a new token.
    RenewToken,
    /// Stop: a new connection would end in the same way.
    Stop,
}

/// The decision for a close code; 1006 stands for a connection that ended without one.
pub fn after_close(code: u16) -> AfterClose {
    match code {
        4401 => AfterClose::RenewToken,
        4429 => AfterClose::Reconnect,
        4400..=4499 | 1002 | 1003 | 1007 | 1009 => AfterClose::Stop,
        _ => AfterClose::Reconnect,
    }
}

/// The delay, with full jitter: a random part of a bound that doubles with each consecutive
/// attempt. `random` is in 0..1.
pub fn wait(code: u16, tries: u32, random: f64) -> Duration {
    let bound = FIRST.saturating_mul(1 << tries.min(16)).min(LONGEST);
    let jitter = bound.mul_f64(random.clamp(0.0, 1.0));
    if code == 4429 { FLOOD + jitter } else { jitter }
}

/// A number in 0..1, so that clients disconnected together do not reconnect together.
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all clients reconnect after the longest delay.
    if getrandom::fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_close_code_decides_whether_to_reconnect() {
        for code in [1000, 1001, 1006, 1011, 1012, 1013, 4000, 4001, 4002, 4429] {
            assert_eq!(after_close(code), AfterClose::Reconnect, "{code}");
        }
        assert_eq!(after_close(4401), AfterClose::RenewToken);
        for code in [1002, 1003, 1007, 1009, 4403, 4408] {
            assert_eq!(after_close(code), AfterClose::Stop, "{code}");
        }
    }

    #[test]
    fn waits_grow_to_a_bound() {
        assert_eq!(wait(1006, 0, 1.0), FIRST);
        assert_eq!(wait(1006, 3, 1.0), Duration::from_secs(2));
        assert_eq!(wait(1006, 40, 1.0), LONGEST);
        assert_eq!(wait(1006, 40, 0.0), Duration::ZERO);
        assert!(wait(4429, 0, 0.0) >= FLOOD);
    }
}
