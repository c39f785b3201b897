//! Arithmetic with numbers that are written out, as expressions of other engines have it (`5 - 2`),
//! computed when a definition is read.
//!
//! Not here: expressions that read data, which only conditions and scripts compute (`expression`).

use serde_json::Number;

/// Most parentheses and signs around a number.
const MAX_DEPTH: usize = 32;

/// The value of an expression of numbers, `+`, `-`, `*`, `/`, `%` and parentheses; `None` for
/// anything else, also for a value that is not exact as a JSON number.
pub fn value(text: &str) -> Option<Number> {
    let mut reader = Reader {
        rest: text.trim_start(),
    };
    let value = reader.sum(0).filter(|_| reader.rest.is_empty())?;
    // Whole numbers beyond this are not exact.
    let largest = 9_007_199_254_740_992.0_f64;
    if value.fract() == 0.0 && value.abs() < largest {
        return Some(Number::from(value as i64));
    }
    (value.abs() < largest).then(|| Number::from_f64(value))?
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, signs: &[char]) -> Option<char> {
        let sign = self.rest.chars().next().filter(|c| signs.contains(c))?;
        self.rest = self.rest[sign.len_utf8()..].trim_start();
        Some(sign)
    }

    fn sum(&mut self, depth: usize) -> Option<f64> {
        let mut value = self.product(depth)?;
        while let Some(sign) = self.take(&['+', '-']) {
            let next = self.product(depth)?;
            value = if sign == '+' {
                value + next
            } else {
                value - next
            };
        }
        Some(value)
    }

    fn product(&mut self, depth: usize) -> Option<f64> {
        let mut value = self.number(depth)?;
        while let Some(sign) = self.take(&['*', '/', '%']) {
            let next = self.number(depth)?;
            value = match sign {
                '*' => value * next,
                '/' => value / next,
                _ => value % next,
            };
        }
        Some(value).filter(|value| value.is_finite())
    }

    fn number(&mut self, depth: usize) -> Option<f64> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take(&['-']).is_some() {
            return self.number(depth + 1).map(|value| -value);
        }
        if self.take(&['(']).is_some() {
            let value = self.sum(depth + 1)?;
            return self.take(&[')']).map(|_| value);
        }
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let end = self.rest.find(|c| !is_part(c));
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let is_number = digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.');
        let value = digits.parse().ok().filter(|_| is_number)?;
        self.rest = rest.trim_start();
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_computed() {
        for (text, expected) in [
            ("5-2", "3"),
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * -3", "-9"),
            ("10 / 4", "2.5"),
            ("7 % 4", "3"),
            (" 4 / 2 ", "2"),
            ("3", "3"),
        ] {
            let value = value(text).map(|number| number.to_string());
            assert_eq!(value.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for text in [
            "",
            "a + 1",
            "1 +",
            "(1",
            "1 / 0",
            "1e3",
            "1..2",
            ".5",
            "5.",
            "2 ** 3",
            "9007199254740993 + 0",
            &"(".repeat(1_000),
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
