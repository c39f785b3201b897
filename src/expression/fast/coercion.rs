//! JavaScript's comparisons, including their coercions.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::expression::Comparison;
use super::number_text::{WholeNumber, number_to_text, text_to_number, text_to_whole};
use super::operand::Operand;

/// `left comparison right`.
///
/// # Errors
/// An object with a member named `toString` has no primitive value.
pub fn compare(
    comparison: Comparison,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Result<bool, String> {
    Ok(match comparison {
        Comparison::Equal => loosely_equal(left, right)?,
        Comparison::NotEqual => !loosely_equal(left, right)?,
        Comparison::StrictlyEqual => strictly_equal(left, right),
        Comparison::StrictlyNotEqual => !strictly_equal(left, right),
        Comparison::Less => order(left, right)? == Some(Ordering::Less),
        Comparison::LessOrEqual => {
            matches!(order(left, right)?, Some(Ordering::Less | Ordering::Equal))
        }
        Comparison::Greater => order(left, right)? == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(
            order(left, right)?,
            Some(Ordering::Greater | Ordering::Equal)
        ),
    })
}

fn strictly_equal(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    match (left, right) {
        (Operand::Undefined, Operand::Undefined) | (Operand::Null, Operand::Null) => true,
        (Operand::Bool(left), Operand::Bool(right)) => left == right,
        (Operand::Number(left), Operand::Number(right)) => left == right,
        (Operand::BigInt(left), Operand::BigInt(right)) => left == right,
        (Operand::Text(left), Operand::Text(right)) => left == right,
        (Operand::Surrogate(left), Operand::Surrogate(right)) => left == right,
        (Operand::Array(left), Operand::Array(right)) => std::ptr::eq(*left, *right),
        (Operand::Object(left), Operand::Object(right)) => std::ptr::eq(*left, *right),
        _ => false,
    }
}

fn loosely_equal(left: &Operand<'_>, right: &Operand<'_>) -> Result<bool, String> {
    use Operand::{Array, BigInt, Bool, Null, Number, Object, Surrogate, Text, Undefined};
    Ok(match (left, right) {
        (Undefined | Null, Undefined | Null) => true,
        (Undefined | Null, _) | (_, Undefined | Null) => false,
        (Bool(_), Bool(_)) => strictly_equal(left, right),
        (Bool(value), other) | (other, Bool(value)) => {
            loosely_equal(&Number(f64::from(u8::from(*value))), other)?
        }
        (Number(number), text @ (Text(_) | Surrogate(_)))
        | (text @ (Text(_) | Surrogate(_)), Number(number)) => *number == to_number(text),
        (BigInt(_), Number(_) | Text(_) | Surrogate(_))
        | (Number(_) | Text(_) | Surrogate(_), BigInt(_)) => {
            order(left, right)? == Some(Ordering::Equal)
        }
        (Array(_) | Object(_), Array(_) | Object(_)) => strictly_equal(left, right),
        (object @ (Array(_) | Object(_)), other) | (other, object @ (Array(_) | Object(_))) => {
            loosely_equal(&to_primitive(object)?, other)?
        }
        _ => strictly_equal(left, right),
    })
}

/// The order of two values; `None` when not comparable (NaN).
///
/// # Errors
/// As [`compare`].
pub fn order(left: &Operand<'_>, right: &Operand<'_>) -> Result<Option<Ordering>, String> {
    let (left, right) = (to_primitive(left)?, to_primitive(right)?);
    Ok(match (&left, &right) {
        // JavaScript orders strings by UTF-16 units, which differs from the order of UTF-8 bytes
        // above U+D7FF.
        (Operand::Text(left), Operand::Text(right)) => {
            Some(left.encode_utf16().cmp(right.encode_utf16()))
        }
        (Operand::Surrogate(left), Operand::Text(right)) => {
            Some([*left].into_iter().cmp(right.encode_utf16()))
        }
        (Operand::Text(left), Operand::Surrogate(right)) => Some(left.encode_utf16().cmp([*right])),
        (Operand::Surrogate(left), Operand::Surrogate(right)) => Some(left.cmp(right)),
        (Operand::BigInt(left), right) => order_whole(*left, right),
        (left, Operand::BigInt(right)) => order_whole(*right, left).map(Ordering::reverse),
        _ => to_number(&left).partial_cmp(&to_number(&right)),
    })
}

/// How a `BigInt` compares with a primitive value: exactly, as no number is rounded.
fn order_whole(whole: i128, other: &Operand<'_>) -> Option<Ordering> {
    match other {
        Operand::BigInt(other) => Some(whole.cmp(other)),
        // A text is read as a `BigInt`: one with a fraction or an exponent is not a `BigInt`.
        Operand::Text(text) => match text_to_whole(text)? {
            WholeNumber::Within(other) => Some(whole.cmp(&other)),
            WholeNumber::Below => Some(Ordering::Greater),
            WholeNumber::Beyond => Some(Ordering::Less),
        },
        _ => {
            let number = to_number(other);
            // In this range the integer part is an i128; no whole number of a condition lies beyond
            // it.
            if number.abs() < 1e38 {
                let exact = whole.cmp(&(number.trunc() as i128));
                return Some(
                    exact.then_with(|| 0.0.partial_cmp(&number.fract()).unwrap_or(Ordering::Equal)),
                );
            }
            0.0.partial_cmp(&number)
        }
    }
}

/// The number of a primitive value. Objects are converted to primitives before.
fn to_number(primitive: &Operand<'_>) -> f64 {
    match primitive {
        Operand::Null => 0.0,
        Operand::Bool(value) => f64::from(u8::from(*value)),
        Operand::Number(number) => *number,
        Operand::Text(text) => text_to_number(text),
        Operand::BigInt(whole) => *whole as f64,
        Operand::Undefined | Operand::Surrogate(_) | Operand::Array(_) | Operand::Object(_) => {
            f64::NAN
        }
    }
}

fn to_primitive<'a>(operand: &Operand<'a>) -> Result<Operand<'a>, String> {
    Ok(match operand {
        Operand::Array(items) => Operand::Text(Cow::Owned(join(items)?)),
        Operand::Object(members) => Operand::Text(Cow::Borrowed(object_text(members)?)),
        primitive => primitive.clone(),
    })
}

/// `Array.prototype.join`, which is also how an array becomes a string.
fn join(items: &[Value]) -> Result<String, String> {
    let texts: Result<Vec<Cow<'_, str>>, String> = items.iter().map(item_text).collect();
    Ok(texts?.join(","))
}

fn item_text(item: &Value) -> Result<Cow<'_, str>, String> {
    Ok(match Operand::from(item) {
        Operand::Undefined | Operand::Null | Operand::Surrogate(_) => Cow::Borrowed(""),
        Operand::Bool(value) => Cow::Owned(value.to_string()),
        Operand::Number(number) => Cow::Owned(number_to_text(number)),
        Operand::BigInt(whole) => Cow::Owned(whole.to_string()),
        Operand::Text(text) => text,
        Operand::Array(items) => Cow::Owned(join(items)?),
        Operand::Object(members) => Cow::Borrowed(object_text(members)?),
    })
}

/// A member named `toString` hides the inherited method, and JSON contains no functions that could
/// replace it.
fn object_text(members: &Map<String, Value>) -> Result<&'static str, String> {
    if members.contains_key("toString") {
        return Err(
            "expected a value to compare, but an object with a member `toString` has none"
                .to_owned(),
        );
    }
    Ok("[object Object]")
}
