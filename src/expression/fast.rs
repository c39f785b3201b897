//! The fast path: evaluates conditions of comparisons, boolean operators, literals and data paths
//! without a script engine.
//!
//! It accepts a condition completely or not at all: [`parse`] gives `None` for anything whose
//! JavaScript meaning it cannot decide for *every* JSON value; such a condition runs in the
//! sandbox. For what it accepts, it must give the same result as the sandbox on every input
//! (property test in `equivalence`); only the sandbox's time and memory limits do not apply here.
//!
//! Reading order: `expression` (the tree), `parser`, `evaluate`; `operand` and `coercion` hold
//! JavaScript's conversions.

mod coercion;
mod evaluate;
mod expression;
mod lexer;
mod number_text;
mod operand;
mod parser;

pub(super) use evaluate::{FastError, evaluate};
pub(super) use expression::Expression;
pub(super) use operand::Operand;
pub(super) use parser::parse;
