//! Arithmetic on the values for which it needs no conversion that may lose digits: numbers, booleans,
//! `null`, `undefined`, short texts, and texts that are joined. Everything else is left to the
//! sandbox.

use std::borrow::Cow;

use super::{
    super::input::may_lose_digits,
    expression::Arithmetic,
    number_text::{number_to_text, text_to_number},
    operand::Operand,
};

/// Longer texts are joined in the sandbox, which bounds their memory, in bytes.
const LONGEST: usize = 16 << 10;

/// `left operator right`; `None` when only the sandbox knows.
pub fn compute<'a>(
    operator: Arithmetic,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Option<Operand<'a>> {
    let is_text = |operand| matches!(operand, &Operand::Text(_));
    if operator == Arithmetic::Plus && (is_text(left) || is_text(right)) {
        let (left, right) = (text(left)?, text(right)?);
        let is_short = left.len() + right.len() <= LONGEST;
        return is_short.then(|| Operand::Text(Cow::Owned(format!("{left}{right}"))));
    }
    let (left, right) = (number(left)?, number(right)?);
    Some(Operand::Number(match operator {
        Arithmetic::Plus => left + right,
        Arithmetic::Minus => left - right,
        Arithmetic::Times => left * right,
        Arithmetic::Over => left / right,
        Arithmetic::Modulo => left % right,
    }))
}

/// `-operand`; `None` when only the sandbox knows.
pub fn negative<'a>(operand: &Operand<'_>) -> Option<Operand<'a>> {
    number(operand).map(|number| Operand::Number(-number))
}

fn number(operand: &Operand<'_>) -> Option<f64> {
    match operand {
        Operand::Undefined => Some(f64::NAN),
        Operand::Null => Some(0.0),
        Operand::Bool(value) => Some(f64::from(u8::from(*value))),
        Operand::Number(number) => Some(*number),
        // A longer one may lose digits, which is an error or not depending on all data.
        Operand::Text(text) if !may_lose_digits(text) => Some(text_to_number(text)),
        Operand::BigInt(_)
        | Operand::Text(_)
        | Operand::Surrogate(_)
        | Operand::Array(_)
        | Operand::Object(_) => None,
    }
}

/// The text of a value that is joined with a text.
fn text<'o>(operand: &'o Operand<'_>) -> Option<Cow<'o, str>> {
    Some(match operand {
        Operand::Undefined => Cow::Borrowed("undefined"),
        Operand::Null => Cow::Borrowed("null"),
        Operand::Bool(true) => Cow::Borrowed("true"),
        Operand::Bool(false) => Cow::Borrowed("false"),
        Operand::Number(number) => Cow::Owned(number_to_text(*number)),
        Operand::BigInt(whole) => Cow::Owned(whole.to_string()),
        Operand::Text(text) => Cow::Borrowed(text),
        Operand::Surrogate(_) | Operand::Array(_) | Operand::Object(_) => return None,
    })
}
