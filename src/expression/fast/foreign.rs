//! The comparisons of FEEL and JUEL, where they differ from JavaScript's.
//!
//! FEEL converts nothing: values of different kinds are not equal, and have no order. In both
//! languages lists and objects are equal when their contents are, and nothing (null) has no order,
//! so that such a comparison does not hold. Not here: which texts are in these languages
//! (`condition`), and JavaScript's comparisons (`coercion`).

use std::cmp::Ordering;

use super::{
    coercion,
    expression::{Comparison, Expression, Language},
    operand::Operand,
};

impl Expression {
    /// This expression with its comparisons in another language.
    pub fn in_language(self, language: Language) -> Self {
        let within = |expression: Self| expression.in_language(language);
        match self {
            Self::Compare(comparison, operands) => {
                let operands = (within(operands.0), within(operands.1));
                Self::CompareIn(language, comparison, Box::new(operands))
            }
            Self::Not(operand) => Self::Not(Box::new(within(*operand))),
            Self::All(operands) => Self::All(operands.into_iter().map(within).collect()),
            Self::Any(operands) => Self::Any(operands.into_iter().map(within).collect()),
            // Plain expressions have no other parts.
            other => other,
        }
    }
}

/// `left comparison right` in a language.
///
/// # Errors
/// In FEEL, an order of values that have none; otherwise as in JavaScript.
pub fn compare(
    language: Language,
    comparison: Comparison,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Result<bool, String> {
    let is_null = |operand: &Operand<'_>| matches!(operand, Operand::Undefined | Operand::Null);
    let are_containers = [left, right]
        .iter()
        .all(|operand| matches!(operand, Operand::Array(_) | Operand::Object(_)));
    match (comparison, language) {
        (Comparison::Equal, Language::Feel) => Ok(same(left, right)),
        (Comparison::NotEqual, Language::Feel) => Ok(!same(left, right)),
        (Comparison::Equal, Language::Juel) if are_containers => Ok(same(left, right)),
        (Comparison::NotEqual, Language::Juel) if are_containers => Ok(!same(left, right)),
        (Comparison::Equal | Comparison::NotEqual, Language::Juel) => {
            coercion::compare(comparison, left, right)
        }
        _ if is_null(left) || is_null(right) => Ok(false),
        (_, Language::Feel) if !have_order(left, right) => Err(format!(
            "expected two numbers or two texts to compare by their order, as FEEL converts nothing, \
            but got {} and {}",
            left.describe(),
            right.describe()
        )),
        _ => coercion::compare(comparison, left, right),
    }
}

fn have_order(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    let is_number =
        |operand: &Operand<'_>| matches!(operand, Operand::Number(_) | Operand::BigInt(_));
    let is_text =
        |operand: &Operand<'_>| matches!(operand, Operand::Text(_) | Operand::Surrogate(_));
    is_number(left) && is_number(right) || is_text(left) && is_text(right)
}

/// Whether two values are of one kind and equal, lists and objects by their contents.
fn same(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    use Operand::{Array, Bool, Null, Object, Undefined};
    match (left, right) {
        (Undefined | Null, Undefined | Null) => true,
        (Bool(left), Bool(right)) => left == right,
        (Array(left), Array(right)) => {
            let mut pairs = left.iter().zip(right.iter());
            left.len() == right.len()
                && pairs.all(|(left, right)| same(&Operand::from(left), &Operand::from(right)))
        }
        (Object(left), Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| {
                    let right = right.get(name);
                    right.is_some_and(|right| same(&Operand::from(left), &Operand::from(right)))
                })
        }
        _ => have_order(left, right) && coercion::order(left, right) == Ok(Some(Ordering::Equal)),
    }
}
