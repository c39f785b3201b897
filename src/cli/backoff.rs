//! What to do after a connection was lost, and after how long. By the close code, as
//! `docs/protocol.md` says.

use std::time::Duration;

/// The first wait is anything up to this; each further one up to twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(15);
/// The shortest wait after a flood.
const FLOOD: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterClose {
    /// Connect again.
    Reconnect,
    /// Connect again once, with a new token.
    RenewToken,
    /// It would end the same.
    Stop,
}

/// By the close code; 1006 stands for a connection that ended without one.
pub fn after_close(code: u16) -> AfterClose {
    match code {
        4401 => AfterClose::RenewToken,
        4429 => AfterClose::Reconnect,
        4400..=4499 | 1002 | 1003 | 1007 | 1009 => AfterClose::Stop,
        _ => AfterClose::Reconnect,
    }
}

/// Full jitter: anything up to a bound that doubles with each try in a row. `random` is in 0..1.
pub fn wait(code: u16, tries: u32, random: f64) -> Duration {
    let bound = FIRST.saturating_mul(1 << tries.min(16)).min(LONGEST);
    let jitter = bound.mul_f64(random.clamp(0.0, 1.0));
    if code == 4429 { FLOOD + jitter } else { jitter }
}

/// A number in 0..1, so that clients cut off together do not come back together.
pub fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all come back after the longest wait.
    if getrandom::fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_close_code_decides() {
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
