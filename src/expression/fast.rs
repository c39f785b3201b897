//! The fast path: conditions of comparisons, boolean operators, literals and data paths, decided
//! without a script engine.
//!
//! It takes a condition wholly or not at all: [`parse`] gives `None` for anything whose JavaScript
//! meaning it cannot decide for *every* JSON value, and the condition goes to the sandbox. What it
//! takes must equal the sandbox on every input (`equivalence` holds the property test); only the
//! sandbox's time and memory limits do not exist here.
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

pub(super) use evaluate::evaluate;
pub(super) use expression::Expression;
pub(super) use operand::Operand;
pub(super) use parser::parse;
