//! Number literals of JavaScript. One that JavaScript would round is a mistake: the modeller would
//! see other digits than those used.
//!
//! # Rationale
//!
//! **Whole numbers beyond 2^53 are `BigInt`s in scripts.** They keep all digits and compare
//! correctly, and arithmetic that would round them is an error, where a plain number would be
//! rounded silently.

use crate::text::number::is_exact;

/// The largest whole number up to which JavaScript's numbers are exact; larger whole numbers in the
/// data become `BigInt`s.
pub const MAX_SAFE: i64 = (1 << 53) - 1;

/// What is wrong with a number literal, as the second half of a sentence with advice; `None` when
/// it is held exactly, or when it is not a number at all, which the engine reports better.
pub fn mistake(numeral: &str) -> Option<String> {
    let digits = numeral.replace('_', "");
    let base = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => Some(16),
        [b'0', b'o' | b'O', ..] => Some(8),
        [b'0', b'b' | b'B', ..] => Some(2),
        _ => None,
    };
    let is_whole = base.is_some() || digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole {
        let value = base.map_or_else(
            || digits.parse(),
            |base| u128::from_str_radix(&digits[2..], base),
        );
        let is_number = !digits.is_empty() && (base.is_none() || digits.len() > 2);
        // Converted and back, as a double can hold some of them exactly.
        let is_held = value.is_ok_and(|value: u128| {
            let held = value as f64;
            held < 2_f64.powi(128) && held as u128 == value
        });
        return (is_number && !is_held).then(|| {
            format!(
                "{numeral} is beyond 2^53, where JavaScript's numbers lose digits; write \
                {numeral}n, with the n of a BigInt"
            )
        });
    }
    let held: f64 = digits.parse().ok()?;
    if held.is_infinite() {
        return Some(format!(
            "{numeral} is beyond all numbers of JavaScript; write a smaller one, or Infinity"
        ));
    }
    let rounded = || format!("JavaScript would round {numeral} to {held:?}; write {held:?}");
    (!is_exact(&digits)).then(rounded)
}

/// Whether this whole number is a `BigInt` in the data, so that `===` never holds between the two.
pub fn is_beyond_safe(numeral: &str) -> bool {
    let held: Option<f64> = numeral.replace('_', "").parse().ok();
    held.is_some_and(|held| held.fract() == 0.0 && held > MAX_SAFE as f64 && held < 2_f64.powi(64))
}

#[cfg(test)]
mod tests {
    use super::mistake;

    #[test]
    fn numerals_that_javascript_would_round_are_errors() {
        for exact in [
            "0",
            "18",
            "1.5",
            ".5",
            "5.",
            "1e21",
            "1_000.25",
            "9007199254740991",
            "9007199254740992",
            "9007199254740994",
            "18446744073709551616",
            "1_000_000_000_000_000_000_000",
            "0x1fffffffffffff",
            "0x20000000000000",
            "0b11",
            "0.1",
        ] {
            assert_eq!(mistake(exact), None, "{exact}");
        }
        for (rounded, advice) in [
            ("9007199254740993", "write 9007199254740993n"),
            ("7615917337495251231", "write 7615917337495251231n"),
            ("1_000_000_000_000_000_000_001", "n, with"),
            ("0x20000000000001", "write 0x20000000000001n"),
            ("0xffffffffffffffffffffffffffffffffffff", "BigInt"),
            ("0.1000000000000000055", "write 0.1"),
            ("3.141592653589793238", "write 3.141592653589793"),
            ("9007199254740993.0", "write 9007199254740992.0"),
            ("1e400", "Infinity"),
        ] {
            assert!(
                mistake(rounded).is_some_and(|sentence| sentence.contains(advice)),
                "{rounded}: {:?}",
                mistake(rounded)
            );
        }
        for no_number in ["", "1e", "0x", "1__0e"] {
            assert_eq!(mistake(no_number), None, "{no_number}");
        }
    }
}
