//! ISO 8601 durations: the one parser for definitions, frames, data and the command line.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, fmt::temporal::SpanParser};

/// Reads a duration such as `PT30S`, `P1DT2H`, `P2W` or `P1M`, in calendar units.
///
/// # Errors
/// The mistake in the text, without the expected format.
pub fn parse(text: &str) -> Result<Span, String> {
    SpanParser::new().parse_span(text).map_err(|_| {
        let is_form = text.ends_with(|letter: char| letter.is_ascii_alphabetic())
            && text
                .trim_start_matches(['+', '-'])
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"PYMWDTHS.,pymwdths".contains(&byte));
        let digits = text.split(|letter: char| !letter.is_ascii_digit());
        // Such a number alone exceeds the range of every calendar unit.
        let is_long = is_form && digits.map(str::len).max() > Some(4);
        if is_long {
            format!("`{text}` is longer than the calendar")
        } else {
            format!("`{text}` is not one")
        }
    })
}

/// The length of a duration whose days have 24 hours.
///
/// # Errors
/// A part of a sentence, after "but": months and years have no fixed length, and no length is
/// negative.
pub fn length(span: &Span) -> Result<Duration, &'static str> {
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err("months and years differ in length");
    }
    let length = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "it is too long")?;
    Duration::try_from(length).map_err(|_| "it is negative")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_have_a_length_and_months_have_none() {
        let length =
            |text: &str| length(&parse(text).unwrap_or_else(|error| panic!("{text}: {error}")));
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3600));
        for (text, expected) in [
            ("PT1H", 1),
            ("P1D", 24),
            ("P1W", 168),
            ("P1DT2H", 26),
            ("P2W3D", 408),
            ("PT0S", 0),
        ] {
            assert_eq!(length(text), hours(expected), "{text}");
        }
        assert_eq!(length("PT0.5S"), Ok(Duration::from_millis(500)));
        for (text, words) in [
            ("P20000Y", "`P20000Y` is longer than the calendar"),
            ("PT99999999999999999999S", "longer than the calendar"),
            ("P1X", "`P1X` is not one"),
            ("P12345", "`P12345` is not one"),
            ("", "`` is not one"),
        ] {
            assert!(
                parse(text).is_err_and(|error| error.contains(words)),
                "{text}"
            );
        }
        for wrong in ["P1M", "P1Y", "P1Y2DT1H", "-PT1S", "-P1D"] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }
}
