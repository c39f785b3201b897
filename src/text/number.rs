//! Which numbers are held exactly: whole numbers of 64 bits, and decimals that denote a double:
//! with the fewest digits that distinguish it from others (writers choose differently when two are
//! equally near), or with the 17 digits that some always write. Any other number is rejected on
//! input, with its place, so that no digit is lost silently.
//!
//! Not here: reading JSON (`json`), numbers in JavaScript (`expression::numerals`).

/// No decimal with this few digits and without exponent is ever rounded.
const SAFE_DIGITS: usize = 15;

/// Whether a decimal number in JSON notation is held exactly.
pub fn is_exact(number: &str) -> bool {
    let has_exponent = number.contains(['e', 'E']);
    if !has_exponent && number.len() <= SAFE_DIGITS {
        return true;
    }
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    let held = number.parse::<f64>().ok().filter(|held| held.is_finite());
    held.is_some_and(|held| {
        let ways = [
            format!("{held:e}"),
            serde_json::json!(held).to_string(),
            format!("{held:.16e}"),
        ];
        let written = Decimal::read(number);
        ways.iter().any(|way| Decimal::read(way) == written)
    })
}

/// The value of a decimal number without its sign: its digits without zeros at either end, and the
/// power of ten of the last digit.
#[derive(PartialEq, Eq)]
struct Decimal {
    digits: Vec<u8>,
    power: i64,
}

impl Decimal {
    fn read(number: &str) -> Self {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let fraction = mantissa
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let mut digits: Vec<u8> = mantissa
            .bytes()
            .filter(u8::is_ascii_digit)
            .skip_while(|digit| *digit == b'0')
            .collect();
        let written = digits.len();
        digits.truncate(
            digits
                .iter()
                .rposition(|digit| *digit != b'0')
                .map_or(0, |last| last + 1),
        );
        // No double has an exponent beyond 64 bits: the digits alone decide.
        let exponent = exponent.parse::<i64>().unwrap_or(i64::MAX / 2);
        let power = exponent
            .saturating_sub(fraction as i64)
            .saturating_add((written - digits.len()) as i64);
        Self {
            power: if digits.is_empty() { 0 } else { power },
            digits,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_exact_when_its_value_survives() {
        for exact in [
            "0",
            "-0",
            "0.0",
            "0e99999999999999999999",
            "1",
            "-1",
            "0.1",
            "1.50",
            "1e2",
            "1E+2",
            "-2.5e-3",
            "100000000000000000000",
            "9007199254740993",
            "-9223372036854775808",
            "18446744073709551615",
            "1e300",
            "5e-324",
            "0.30000000000000004",
            "0.10000000000000001",
            "-1979217678746490.2",
            "1.7976931348623157e308",
            "123456789012345680000",
            "9007199254740992.0",
            "0.000000000000000000001",
        ] {
            assert!(is_exact(exact), "{exact}");
        }
        for rounded in [
            "0.1000000000000000055",
            "18446744073709551616",
            "-9223372036854775809",
            "9007199254740993.0",
            "12345678901234567890123",
            "1e400",
            "-1e400",
            "1e99999999999999999999",
            "4.9e-324",
            "1e-400",
            "3.141592653589793238",
            "1.7976931348623158e308",
        ] {
            assert!(!is_exact(rounded), "{rounded}");
        }
    }

    proptest! {
        #[test]
        fn stored_numbers_are_exact(number in any::<f64>().prop_filter("JSON has finite ones", |number| number.is_finite())) {
            let ways = [format!("{number}"), format!("{number:e}"), format!("{number:.16e}"), serde_json::json!(number).to_string()];
            for text in ways {
                prop_assert!(is_exact(&text), "{}", text);
            }
        }

        #[test]
        fn sixty_four_bits_are_exact(signed in any::<i64>(), unsigned in any::<u64>()) {
            prop_assert!(is_exact(&signed.to_string()) && is_exact(&unsigned.to_string()));
        }
    }
}
