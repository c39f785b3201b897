//! Readers of numbers for the command line, with errors in words.
//!
//! Not here: their bounds (`config`), rates (`limits::quota`).

use std::{
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
};

/// A whole number.
pub(super) fn whole<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ParseIntError| {
        let sentence = match error.kind() {
            IntErrorKind::PosOverflow => {
                "expected a whole number, but it is too large: write a smaller number"
            }
            _ => "expected a whole number of at least 0, such as 64",
        };
        sentence.to_owned()
    })
}

/// A part of the whole.
pub(super) fn part(text: &str) -> Result<f64, String> {
    let sentence = || "expected a part from 0 to 1, such as 0.1".to_owned();
    text.parse().map_err(|_| sentence())
}
