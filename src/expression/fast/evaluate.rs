//! Evaluates a fast condition over the instance data.

use serde_json::Value;

use super::coercion::compare;
use super::expression::{Expression, Path};
use super::operand::Operand;

/// The value of `expression` over `data`.
///
/// # Errors
/// Where JavaScript throws: a member of `undefined` or `null`, an object that cannot be compared.
pub fn evaluate<'a>(expression: &'a Expression, data: &'a Value) -> Result<Operand<'a>, String> {
    match expression {
        Expression::Literal(literal) => Ok(Operand::from(literal)),
        Expression::Path(path) => look_up(path, data),
        Expression::Not(operand) => Ok(Operand::Bool(!evaluate(operand, data)?.is_truthy())),
        Expression::All(operands) => first(operands, data, false),
        Expression::Any(operands) => first(operands, data, true),
        Expression::Compare(comparison, operands) => {
            let (left, right) = (evaluate(&operands.0, data)?, evaluate(&operands.1, data)?);
            Ok(Operand::Bool(compare(*comparison, &left, &right)?))
        }
    }
}

/// The first operand of that truthiness, else the last one; later ones are not evaluated.
fn first<'a>(
    operands: &'a [Expression],
    data: &'a Value,
    truthy: bool,
) -> Result<Operand<'a>, String> {
    let mut last = Operand::Undefined;
    for operand in operands {
        last = evaluate(operand, data)?;
        if last.is_truthy() == truthy {
            break;
        }
    }
    Ok(last)
}

fn look_up<'a>(path: &'a Path, data: &'a Value) -> Result<Operand<'a>, String> {
    let start = match &path.root {
        None => Operand::from(data),
        Some(name) => data.get(name).map_or(Operand::Undefined, Operand::from),
    };
    path.members
        .iter()
        .try_fold(start, |operand, member| operand.member(member))
}
