//! Evaluates a fast expression over variables.

use crate::model::variables::Variables;

use super::arithmetic::{compute, negative};
use super::coercion::compare;
use super::expression::{Expression, Path, Root};
use super::foreign;
use super::operand::Operand;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FastError {
    /// It reads a member of `undefined` or `null`.
    Missing(String),
    /// It compares values that cannot be compared.
    Incomparable(String),
    /// It computes with values for which only the sandbox knows the result.
    Unknown,
}

/// The value of `expression` over these variables and `locals`, the values of a rule's own names.
/// An expression that reads `input` needs the variables as one object: without variables of scopes.
///
/// # Errors
/// Where JavaScript throws: a member of `undefined` or `null`, an object that cannot be compared.
/// Where the sandbox has to decide: [`FastError::Unknown`].
pub fn evaluate<'a>(
    expression: &'a Expression,
    variables: &Variables<'a>,
    locals: &[Operand<'a>],
) -> Result<Operand<'a>, FastError> {
    let value = |expression: &'a Expression| evaluate(expression, variables, locals);
    match expression {
        Expression::Literal(literal) => Ok(Operand::from(literal)),
        Expression::Path(path) => look_up(path, variables, locals),
        Expression::Not(operand) => Ok(Operand::Bool(!value(operand)?.is_truthy())),
        Expression::All(operands) => first(operands, false, value),
        Expression::Any(operands) => first(operands, true, value),
        Expression::Compare(comparison, operands) => {
            let (left, right) = (value(&operands.0)?, value(&operands.1)?);
            let compared = compare(*comparison, &left, &right);
            Ok(Operand::Bool(compared.map_err(FastError::Incomparable)?))
        }
        Expression::CompareIn(language, comparison, operands) => {
            let (left, right) = (value(&operands.0)?, value(&operands.1)?);
            let compared = foreign::compare(*language, *comparison, &left, &right);
            Ok(Operand::Bool(compared.map_err(FastError::Incomparable)?))
        }
        Expression::Compute(operator, operands) => {
            let (left, right) = (value(&operands.0)?, value(&operands.1)?);
            compute(*operator, &left, &right).ok_or(FastError::Unknown)
        }
        Expression::Negative(operand) => negative(&value(operand)?).ok_or(FastError::Unknown),
        Expression::Choose(parts) => match value(&parts.0)?.is_truthy() {
            true => value(&parts.1),
            false => value(&parts.2),
        },
    }
}

/// The first operand with that truthiness, else the last one; later ones are not evaluated.
fn first<'a>(
    operands: &'a [Expression],
    truthy: bool,
    value: impl Fn(&'a Expression) -> Result<Operand<'a>, FastError>,
) -> Result<Operand<'a>, FastError> {
    let mut last = Operand::Undefined;
    for operand in operands {
        last = value(operand)?;
        if last.is_truthy() == truthy {
            break;
        }
    }
    Ok(last)
}

fn look_up<'a>(
    path: &'a Path,
    variables: &Variables<'a>,
    locals: &[Operand<'a>],
) -> Result<Operand<'a>, FastError> {
    let start = match &path.root {
        Root::AllData => Operand::from(variables.root()),
        Root::Variable(name) => variables
            .get(name)
            .map_or(Operand::Undefined, Operand::from),
        Root::Local(place) => locals.get(*place).cloned().ok_or(FastError::Unknown)?,
    };
    path.members
        .iter()
        .try_fold(start, |operand, member| operand.member(member))
        .map_err(FastError::Missing)
}
