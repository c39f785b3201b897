//! Arithmetic as JUEL has it, with whole numbers and binary fractions, and as FEEL has it, with
//! decimal fractions.

use std::cmp::Ordering;

use serde_json::Value;

use super::Operator;

/// Whole numbers from here on are not exact as a binary fraction.
const INEXACT: f64 = 9_007_199_254_740_992.0;

/// A number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Number {
    /// A number of the data.
    pub(super) fn of(number: &serde_json::Number) -> Result<Self, String> {
        match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Self::Whole(whole)),
            (None, Some(fraction)) if !number.is_u64() => Ok(Self::Fraction(fraction)),
            _ => Err(too_large()),
        }
    }

    pub(super) fn negated(self) -> Result<Self, String> {
        match self {
            Self::Whole(whole) => whole.checked_neg().map(Self::Whole).ok_or_else(too_large),
            Self::Fraction(fraction) => Ok(Self::Fraction(-fraction)),
        }
    }

    pub(super) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            _ => self.as_fraction().total_cmp(&other.as_fraction()),
        }
    }

    /// The number in a longer text: a fraction that is whole keeps its `.0`, as in Java.
    pub(super) fn in_text(self) -> Result<String, String> {
        match self {
            Self::Whole(whole) => Ok(whole.to_string()),
            Self::Fraction(fraction)
                if fraction == 0.0 || (0.001..10_000_000.0).contains(&fraction.abs()) =>
            {
                Ok(format!("{fraction:?}"))
            }
            Self::Fraction(fraction) => Err(format!(
                "expected a number that is written as a text without exponent, but got {fraction}"
            )),
        }
    }

    /// The result as JSON.
    pub(super) fn into_value(self) -> Result<Value, String> {
        match self {
            Self::Whole(whole) => Ok(whole.into()),
            Self::Fraction(fraction) => serde_json::Number::from_f64(fraction)
                .map(Value::Number)
                .ok_or_else(too_large),
        }
    }

    fn as_fraction(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            // Both zeros are equal.
            Self::Fraction(fraction) => fraction + 0.0,
        }
    }

    /// Computes as JUEL does.
    pub(super) fn in_binary(self, operator: Operator, other: Self) -> Result<Self, String> {
        if let (Self::Whole(left), Self::Whole(right)) = (self, other)
            && operator != Operator::Divide
        {
            let whole = match operator {
                Operator::Add => left.checked_add(right),
                Operator::Subtract => left.checked_sub(right),
                Operator::Multiply => left.checked_mul(right),
                Operator::Remainder if right == 0 => return Err(by_zero()),
                Operator::Divide | Operator::Remainder => left.checked_rem(right),
            };
            return whole.map(Self::Whole).ok_or_else(too_large);
        }
        let (left, right) = (self.as_fraction(), other.as_fraction());
        let fraction = match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Remainder => left % right,
        };
        Ok(Self::Fraction(fraction))
    }

    /// Computes as FEEL does.
    pub(super) fn in_decimal(self, operator: Operator, other: Self) -> Result<Self, String> {
        let (left, right) = (self.as_decimal()?, other.as_decimal()?);
        let computed = match operator {
            Operator::Multiply => left.times(right),
            Operator::Add | Operator::Subtract => {
                let aligned = left.aligned(right);
                aligned.and_then(|(left, right, scale)| {
                    let digits = match operator {
                        Operator::Add => left.checked_add(right),
                        _ => left.checked_sub(right),
                    };
                    Some(Decimal {
                        digits: digits?,
                        scale,
                    })
                })
            }
            Operator::Divide | Operator::Remainder => {
                let (left, right, _) = left.aligned(right).ok_or_else(too_large)?;
                return quotient(left, right);
            }
        };
        computed
            .and_then(Decimal::into_number)
            .ok_or_else(too_large)
    }

    fn as_decimal(self) -> Result<Decimal, String> {
        let written = match self {
            Self::Whole(whole) => whole.to_string(),
            // Never with an exponent.
            Self::Fraction(fraction) => fraction.to_string(),
        };
        let (whole, part) = written.split_once('.').unwrap_or((&written, ""));
        let digits = format!("{whole}{part}").parse().map_err(|_| too_large())?;
        let scale = u32::try_from(part.len()).map_err(|_| too_large())?;
        Ok(Decimal { digits, scale })
    }
}

/// A decimal fraction: its digits, of which `scale` are behind the point.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    /// The digits of both with the larger scale, and that.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let digits = |it: Self| {
            let factor = 10_i128.checked_pow(scale - it.scale)?;
            it.digits.checked_mul(factor)
        };
        Some((digits(self)?, digits(other)?, scale))
    }

    fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            digits: self.digits.checked_mul(other.digits)?,
            scale: self.scale.checked_add(other.scale)?,
        })
    }

    fn into_number(mut self) -> Option<Number> {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        if self.scale == 0 {
            return i64::try_from(self.digits).ok().map(Number::Whole);
        }
        let written = format!("{}e-{}", self.digits, self.scale);
        written.parse().ok().map(Number::Fraction)
    }
}

/// The quotient of whole numbers.
fn quotient(left: i128, right: i128) -> Result<Number, String> {
    if right == 0 {
        return Err(by_zero());
    }
    if left.checked_rem(right) == Some(0) {
        let whole = left
            .checked_div(right)
            .and_then(|it| i64::try_from(it).ok());
        return whole.map(Number::Whole).ok_or_else(too_large);
    }
    let exact = |it: i128| Some(it as f64).filter(|it| it.abs() < INEXACT);
    match (exact(left), exact(right)) {
        (Some(left), Some(right)) => Ok(Number::Fraction(left / right)),
        _ => Err(too_large()),
    }
}

/// A result; a whole number without a fraction.
pub(super) fn whole(value: Value) -> Value {
    let fraction = value.as_f64().filter(|_| value.is_f64());
    match fraction.filter(|it| it.fract() == 0.0 && it.abs() < INEXACT) {
        Some(fraction) => (fraction as i64).into(),
        None => value,
    }
}

fn too_large() -> String {
    "expected numbers that can be computed exactly, but one of them or the result is too large"
        .to_owned()
}

fn by_zero() -> String {
    "expected a divisor, but it is zero".to_owned()
}
