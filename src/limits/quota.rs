//! Quotas of rate limits, a rate per second and a burst, and how they are written.

use std::{fmt, str::FromStr};

/// The rates of a limit. Either is off when it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Long-term rate per second.
    pub per_second: u64,
    /// Burst after a pause.
    pub burst: u64,
}

/// Units of bytes that options may use.
const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Quota {
    /// No limit.
    pub const OFF: Self = Self::new(0, 0);

    /// A rate per second and a burst.
    pub const fn new(per_second: u64, burst: u64) -> Self {
        Self { per_second, burst }
    }

    /// Whether it limits anything.
    pub fn is_on(self) -> bool {
        self.per_second > 0 && self.burst > 0
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_on() {
            write!(f, "{}:{}", self.per_second, self.burst)
        } else {
            f.write_str("0")
        }
    }
}

impl FromStr for Quota {
    type Err = String;

    /// Reads `PER_SECOND:BURST`, or `0` for no limit; each may be a whole number of KiB, MiB or
    /// GiB.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "0" {
            return Ok(Self::OFF);
        }
        let read = |part: &str| amount(part.trim());
        text.split_once(':')
            .and_then(|(per_second, burst)| Some(Self::new(read(per_second)?, read(burst)?)))
            .filter(|quota| (quota.per_second > 0) == (quota.burst > 0))
            .ok_or_else(|| {
                format!(
                    "expected PER_SECOND:BURST such as 5:20 or 1MiB:16MiB, or 0 for no limit, but \
                    it is '{text}'"
                )
            })
    }
}

/// Reads a number, or a number of KiB, MiB or GiB.
pub(super) fn amount(text: &str) -> Option<u64> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .unwrap_or((text, 1));
    // Larger ones would not be exact in the counting of levels.
    number
        .trim_end()
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .filter(|amount| *amount <= 1 << 50)
}

/// Bytes in the largest unit of which they are a whole number.
pub fn written_bytes(bytes: u64) -> String {
    let unit = UNITS
        .iter()
        .rev()
        .find(|(_, unit)| bytes.is_multiple_of(*unit) && bytes > 0);
    unit.map_or_else(
        || bytes.to_string(),
        |(name, unit)| format!("{}{name}", bytes / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read_and_shown() {
        for (text, per_second, burst) in [
            ("5:20", 5, 20),
            (" 5 : 20 ", 5, 20),
            ("1MiB:16 MiB", 1 << 20, 16 << 20),
            ("512KiB:1GiB", 512 << 10, 1 << 30),
            ("0", 0, 0),
            ("0:0", 0, 0),
        ] {
            assert_eq!(text.parse(), Ok(Quota::new(per_second, burst)), "{text}");
        }
        for text in [
            "",
            "5",
            "5:",
            ":5",
            "-1:5",
            "5:20:3",
            "1mb:2mb",
            "0:20",
            "5:0",
            "9999999GiB:1",
        ] {
            let wrong = text.parse::<Quota>().unwrap_err();
            assert!(wrong.ends_with(&format!("'{text}'")), "{wrong}");
        }
        assert_eq!(Quota::new(5, 20).to_string(), "5:20");
        assert_eq!(Quota::OFF.to_string(), "0");
    }
}
