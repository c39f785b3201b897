//! Evaluates a fast condition over variables.

use crate::model::variables::Variables;

use super::coercion::compare;
use super::expression::{Expression, Path, Root};
use super::operand::Operand;

/// Why a condition has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FastError {
    /// It reads a member of `undefined` or `null`.
    Missing(String),
    /// It compares values that cannot be compared.
    Incomparable(String),
}

/// The value of `expression` over these variables. An expression that reads `input` needs them as
/// one object: without variables of scopes.
///
/// # Errors
/// Where JavaScript throws: a member of `undefined` or `null`, an object that cannot be compared.
pub fn evaluate<'a>(
    expression: &'a Expression,
    variables: &Variables<'a>,
) -> Result<Operand<'a>, FastError> {
    match expression {
        Expression::Literal(literal) => Ok(Operand::from(literal)),
        Expression::Path(path) => look_up(path, variables),
        Expression::Not(operand) => Ok(Operand::Bool(!evaluate(operand, variables)?.is_truthy())),
        Expression::All(operands) => first(operands, variables, false),
        Expression::Any(operands) => first(operands, variables, true),
        Expression::Compare(comparison, operands) => {
            let (left, right) = (
                evaluate(&operands.0, variables)?,
                evaluate(&operands.1, variables)?,
            );
            let compared = compare(*comparison, &left, &right);
            Ok(Operand::Bool(compared.map_err(FastError::Incomparable)?))
        }
    }
}

/// The first operand with that truthiness, else the last one; later ones are not evaluated.
fn first<'a>(
    operands: &'a [Expression],
    variables: &Variables<'a>,
    truthy: bool,
) -> Result<Operand<'a>, FastError> {
    let mut last = Operand::Undefined;
    for operand in operands {
        last = evaluate(operand, variables)?;
        if last.is_truthy() == truthy {
            break;
        }
    }
    Ok(last)
}

fn look_up<'a>(path: &'a Path, variables: &Variables<'a>) -> Result<Operand<'a>, FastError> {
    let start = match &path.root {
        Root::AllData => Operand::from(variables.root()),
        Root::Variable(name) => variables
            .get(name)
            .map_or(Operand::Undefined, Operand::from),
    };
    path.members
        .iter()
        .try_fold(start, |operand, member| operand.member(member))
        .map_err(FastError::Missing)
}
