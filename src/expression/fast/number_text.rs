//! JavaScript's conversions between numbers and strings.

use super::super::lexer::is_space;

/// JavaScript's `Number(text)`.
pub fn text_to_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if text.is_empty() {
        return 0.0;
    }
    if unsigned == "Infinity" {
        return sign * f64::INFINITY;
    }
    match text.get(..2) {
        Some("0x" | "0X") => return radix_to_number(&text[2..], 4),
        Some("0o" | "0O") => return radix_to_number(&text[2..], 3),
        Some("0b" | "0B") => return radix_to_number(&text[2..], 1),
        _ => {}
    }
    // For these characters, Rust's decimal grammar is the same as JavaScript's.
    if text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

/// A text read as a `BigInt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeNumber {
    /// This whole number.
    Within(i128),
    /// Less than every number of 64 bits.
    Below,
    /// Greater than every number of 64 bits.
    Beyond,
}

/// JavaScript's `BigInt(text)`; `None` when the text is not a whole number.
pub fn text_to_whole(text: &str) -> Option<WholeNumber> {
    let text = text.trim_matches(is_space);
    let (negative, digits, base) = match text.as_bytes() {
        [] => return Some(WholeNumber::Within(0)),
        [b'0', b'x' | b'X', ..] => (false, &text[2..], 16),
        [b'0', b'o' | b'O', ..] => (false, &text[2..], 8),
        [b'0', b'b' | b'B', ..] => (false, &text[2..], 2),
        [b'-', ..] => (true, &text[1..], 10),
        [b'+', ..] => (false, &text[1..], 10),
        _ => (false, text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    Some(match i128::from_str_radix(digits, base) {
        Ok(whole) => WholeNumber::Within(if negative { -whole } else { whole }),
        Err(_) if negative => WholeNumber::Below,
        Err(_) => WholeNumber::Beyond,
    })
}

/// Reads digits of `bits` bits each. Keeps the leading 64 bits and records in the last one whether
/// any later bit was set, so that the single rounding to 53 bits is right.
fn radix_to_number(digits: &str, bits: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    let (mut leading, mut dropped) = (0_u64, 0_i32);
    for c in digits.chars() {
        let Some(digit) = c.to_digit(1 << bits) else {
            return f64::NAN;
        };
        for bit in (0..bits).rev().map(|shift| u64::from(digit >> shift & 1)) {
            if leading >> 63 == 0 {
                leading = leading << 1 | bit;
            } else {
                leading |= bit;
                dropped = dropped.saturating_add(1);
            }
        }
    }
    leading as f64 * 2_f64.powi(dropped)
}

/// JavaScript's `String(number)`.
pub fn number_to_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    if number.is_infinite() {
        return format!("{sign}Infinity");
    }
    // Rust's `{:e}` gives the same shortest digits as JavaScript; only the layout differs.
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let count = digits.len() as i32;
    let zeros = |count: i32| "0".repeat(count.max(0) as usize);
    if (count..=21).contains(&point) {
        format!("{sign}{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{sign}{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("{sign}0.{}{digits}", zeros(-point))
    } else {
        let (first, more) = digits.split_at(1);
        let dot = if more.is_empty() { "" } else { "." };
        format!("{sign}{first}{dot}{more}e{:+}", point - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{WholeNumber, number_to_text, text_to_number, text_to_whole};

    #[test]
    fn numbers_are_written_as_in_javascript() {
        for (number, text) in [
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (-0.0, "0"),
            (-12.25, "-12.25"),
            (100.0, "100"),
        ] {
            assert_eq!(number_to_text(number), text);
        }
    }

    #[test]
    fn texts_are_whole_numbers_as_in_javascript() {
        for (text, whole) in [
            ("", Some(WholeNumber::Within(0))),
            (
                " 7615917337495251231\n",
                Some(WholeNumber::Within(7_615_917_337_495_251_231)),
            ),
            ("-09", Some(WholeNumber::Within(-9))),
            ("0xff", Some(WholeNumber::Within(255))),
            ("1e3", None),
            ("1.0", None),
            ("-0x1", None),
            ("0x", None),
            ("7n", None),
            ("+", None),
        ] {
            assert_eq!(text_to_whole(text), whole, "{text:?}");
        }
        let long = "9".repeat(60);
        assert_eq!(
            (text_to_whole(&long), text_to_whole(&format!("-{long}"))),
            (Some(WholeNumber::Beyond), Some(WholeNumber::Below))
        );
    }

    #[test]
    fn texts_are_read_as_in_javascript() {
        for (text, number) in [
            ("", 0.0),
            (" \u{feff}12\n", 12.0),
            ("0x1F", 31.0),
            ("-Infinity", f64::NEG_INFINITY),
            (".5", 0.5),
        ] {
            assert_eq!(text_to_number(text), number, "{text:?}");
        }
        for text in ["1_0", "inf", "-0x1", "1 2", "0b2", "\u{85}1", "e5", "."] {
            assert!(text_to_number(text).is_nan(), "{text:?}");
        }
    }
}
