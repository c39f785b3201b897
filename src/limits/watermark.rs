//! Watermarks of a disk: how much space must be free before work is refused.
//!
//! Not here: measuring the free space (`runtime::disk_watch`), what is refused
//! (`runtime::room_policy`).

/// A number of bytes, a part of the disk, or the smaller of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    bytes: Option<u64>,
    /// Percent of the whole disk.
    percent: Option<u8>,
}

/// When a disk counts as low on free space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Below it nothing new starts.
    pub low: Watermark,
    /// Below it only work that completes something or frees space continues.
    pub critical: Watermark,
}

/// Units of bytes, the longest names first.
const UNITS: [(&str, u32); 7] = [
    ("KiB", 10),
    ("MiB", 20),
    ("GiB", 30),
    ("TiB", 40),
    ("B", 0),
    ("%", 0),
    ("", 0),
];

impl Watermark {
    /// The smaller of this number of bytes and this percentage of the disk.
    pub const fn new(bytes: u64, percent: u8) -> Self {
        Self {
            bytes: Some(bytes),
            percent: Some(percent),
        }
    }

    /// Reads `1GiB`, `5%`, or both as `1GiB/5%`; `0` means no watermark.
    ///
    /// # Errors
    /// The mistake in the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| {
            format!(
                "a size like 512MiB, a part of the disk like 5%, both as 1GiB/5%, or 0, but '{part}' is none of these"
            )
        };
        let mut mark = Self {
            bytes: None,
            percent: None,
        };
        for part in text.split('/').map(str::trim) {
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
            let unit = part[digits.len()..].trim_start();
            let number: u64 = digits.parse().map_err(|_| wrong(part))?;
            let known = UNITS.iter().find(|(name, _)| *name == unit);
            let (name, shift) = known.ok_or_else(|| wrong(part))?;
            let place_is_free = match *name {
                "%" if number <= 100 => mark.percent.replace(number as u8).is_none(),
                "%" => false,
                _ => {
                    let bytes = number.checked_mul(1 << shift).ok_or_else(|| wrong(part))?;
                    mark.bytes.replace(bytes).is_none()
                }
            };
            if !place_is_free {
                return Err(wrong(part));
            }
        }
        Ok(mark)
    }

    /// In bytes, for a disk of this size.
    pub fn of(self, total: u64) -> u64 {
        let percent = |percent: u8| (u128::from(total) * u128::from(percent) / 100) as u64;
        let part = self.percent.map(percent);
        match (self.bytes, part) {
            (Some(bytes), Some(part)) => bytes.min(part),
            (bytes, part) => bytes.or(part).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_parts_are_read_and_the_smaller_counts() {
        let of = |text: &str, total| Watermark::parse(text).unwrap().of(total);
        assert_eq!(of("512MiB", 1 << 40), 512 << 20);
        assert_eq!(of("5%", 1_000), 50);
        assert_eq!(of("1GiB/5%", 1 << 40), 1 << 30);
        assert_eq!(of("1GiB / 5 %", 1_000), 50);
        assert_eq!(of("0", 1 << 40), 0);
        assert_eq!(of("4096", 1 << 40), 4096);
        for wrong in [
            "",
            "much",
            "-1",
            "5%%",
            "101%",
            "1GB",
            "5%/5%",
            "1/2",
            "99999999999TiB",
        ] {
            assert!(Watermark::parse(wrong).is_err(), "{wrong}");
        }
    }
}
