//! The date format of the jobs interface: a pattern in the letters used by the original server of
//! its clients (`dd-MM-yyyy HH:mm:ss`), in UTC.
//!
//! Not here: the dates written with it (`web::jobs`).

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};

/// A compiled format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateTimeFormat(Vec<FormatPiece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum FormatPiece {
    /// Literal text.
    Text(String),
    /// A field as a conversion of `jiff`'s `strftime`.
    Field(&'static str),
    /// The fraction of the second with this number of digits.
    Fraction(usize),
}

impl Default for DateTimeFormat {
    fn default() -> Self {
        let field = FormatPiece::Field;
        let text = |text: &str| FormatPiece::Text(text.to_owned());
        let date = [
            field("%d"),
            text("-"),
            field("%m"),
            text("-"),
            field("%Y"),
            text(" "),
        ];
        Self(
            date.into_iter()
                .chain([field("%H"), text(":"), field("%M"), text(":"), field("%S")])
                .collect(),
        )
    }
}

impl DateTimeFormat {
    /// Compiles a format. `d M y H h m s f t` and `K` are parts of a date; `'…'`, `"…"` and `\`
    /// quote text; other characters stand for themselves.
    ///
    /// # Errors
    /// The mistake, as the part of a sentence after "but".
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (piece, used) = match first {
                '\'' | '"' => quoted(rest, first)?,
                '\\' => escaped(rest)?,
                letter if letter.is_ascii_alphabetic() => {
                    let count = rest.len() - rest.trim_start_matches(letter).len();
                    (
                        field(letter, count).ok_or_else(|| unknown(&rest[..count]))?,
                        count,
                    )
                }
                sign => (FormatPiece::Text(sign.to_string()), sign.len_utf8()),
            };
            pieces.push(piece);
            rest = &rest[used..];
        }
        if pieces
            .iter()
            .any(|piece| !matches!(piece, FormatPiece::Text(_)))
        {
            return Ok(Self(pieces));
        }
        Err(format!("'{text}' has no part of a date"))
    }

    /// Formats a time, given in milliseconds since 1970.
    pub fn write(&self, millis: i64) -> String {
        let Ok(moment) = Timestamp::from_millisecond(millis) else {
            return String::new();
        };
        let moment = moment.to_zoned(TimeZone::UTC);
        let mut text = String::new();
        for piece in &self.0 {
            // Writing to a string does not fail.
            let _ = match piece {
                FormatPiece::Text(piece) => write!(text, "{piece}"),
                FormatPiece::Field("%p") => {
                    write!(text, "{}", if moment.hour() < 12 { "AM" } else { "PM" })
                }
                FormatPiece::Field(field) => write!(text, "{}", moment.strftime(field)),
                FormatPiece::Fraction(digits) => write!(
                    text,
                    "{}",
                    &format!("{:09}", moment.subsec_nanosecond())[..*digits]
                ),
            };
        }
        text
    }
}

fn field(letter: char, count: usize) -> Option<FormatPiece> {
    let field = match (letter, count) {
        ('d', 1) => "%-d",
        ('d', 2) => "%d",
        ('d', 3) => "%a",
        ('d', 4) => "%A",
        ('M', 1) => "%-m",
        ('M', 2) => "%m",
        ('M', 3) => "%b",
        ('M', 4) => "%B",
        ('y', 1) => "%-y",
        ('y', 2) => "%y",
        ('y', 3..=4) => "%Y",
        ('H', 1) => "%-H",
        ('H', 2) => "%H",
        ('h', 1) => "%-I",
        ('h', 2) => "%I",
        ('m', 1) => "%-M",
        ('m', 2) => "%M",
        ('s', 1) => "%-S",
        ('s', 2) => "%S",
        ('t', 2) => "%p",
        ('K', 1) => return Some(FormatPiece::Text("Z".to_owned())),
        ('f', 1..=7) => return Some(FormatPiece::Fraction(count)),
        _ => return None,
    };
    Some(FormatPiece::Field(field))
}

fn unknown(letters: &str) -> String {
    format!("'{letters}' means no part of a date: put text into '…'")
}

/// The text up to the next quotation mark of the same kind, and the length of this part of the
/// format.
fn quoted(rest: &str, mark: char) -> Result<(FormatPiece, usize), String> {
    let inside = &rest[1..];
    let length = inside
        .find(mark)
        .ok_or_else(|| format!("a text that begins with {mark} has no end"))?;
    Ok((FormatPiece::Text(inside[..length].to_owned()), length + 2))
}

fn escaped(rest: &str) -> Result<(FormatPiece, usize), String> {
    let sign = rest[1..]
        .chars()
        .next()
        .ok_or("no sign follows its last '\\'")?;
    Ok((FormatPiece::Text(sign.to_string()), 1 + sign.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, expected: &str) {
        // 2026-03-07T15:04:05.678Z
        assert_eq!(
            DateTimeFormat::parse(format)
                .unwrap()
                .write(1_772_895_845_678),
            expected,
            "{format}"
        );
    }

    #[test]
    fn each_letter_formats_a_part_of_the_date() {
        check("dd-MM-yyyy HH:mm:ss", "07-03-2026 15:04:05");
        check(
            "yyyy-MM-ddTHH:mm:ss.fffK".replace('T', "'T'").as_str(),
            "2026-03-07T15:04:05.678Z",
        );
        check("d/M/yy h:m:s tt", "7/3/26 3:4:5 PM");
        check(
            "dddd, d. MMMM \"anno\" yyyy",
            "Saturday, 7. March anno 2026",
        );
        check(r"ddd MMM \d\e hh", "Sat Mar de 03");
        assert_eq!(
            DateTimeFormat::default(),
            DateTimeFormat::parse("dd-MM-yyyy HH:mm:ss").unwrap()
        );
    }

    #[test]
    fn unknown_letters_are_named() {
        for (bad, part) in [
            ("yyyy-MM-DD", "'DD'"),
            ("", "has no part"),
            ("'x'", "has no part"),
            ("d '", "no end"),
            ("d\\", "follows"),
            ("fffffffff", "fff"),
        ] {
            let error = DateTimeFormat::parse(bad).unwrap_err();
            assert!(error.contains(part), "{bad}: {error}");
        }
    }
}
