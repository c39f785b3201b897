//! A moment as a text of a definition or of data: ISO 8601 with an offset, with a time zone in
//! brackets as Java writes it, or local to a zone that the context gives.
//!
//! Not here: durations (`duration`), and cycles of timers (`timer_cycle`).

use jiff::{Timestamp, Zoned, civil, tz::TimeZone};

/// The moment; `None` for any other text. A local time in a gap of its zone is shifted forward, of
/// two times the earlier counts.
pub fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    // The other readers would leave the brackets out.
    if text.contains('[') {
        return text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp());
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let local = text.parse::<civil::DateTime>().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_in_brackets_counts() {
        let at = |text: &str| parse(text, &TimeZone::UTC).map(|at| at.to_string());
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            at("2030-07-01T10:00:00[Europe/Berlin]"),
            said("2030-07-01T08:00:00Z")
        );
        assert_eq!(
            at("2030-07-01T10:00:00+02:00[Europe/Berlin]"),
            said("2030-07-01T08:00:00Z")
        );
        assert_eq!(
            at("2030-07-01T10:00:00+02:00"),
            said("2030-07-01T08:00:00Z")
        );
        assert_eq!(at("2030-07-01T10:00:00"), said("2030-07-01T10:00:00Z"));
        assert_eq!(at("2030-07-01"), said("2030-07-01T00:00:00Z"));
        for wrong in [
            "2030-07-01T10:00:00[No/Where]",
            "2030-07-01T10:00:00+00:00[Europe/Berlin]",
            "soon",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
