//! The fast path: evaluates conditions and rules of comparisons, boolean operators, arithmetic,
//! literals and data paths without a script engine.
//!
//! It accepts a condition or rule completely or not at all: [`parse`] and [`FastRule::parse`] give
//! `None` for anything else, which runs in the sandbox. What it accepts must have the same result as
//! in the sandbox on every input (property tests in `equivalence`); only the sandbox's time and
//! memory limits do not apply here. Where arithmetic would need conversions that are not here, as
//! between a `BigInt` and a number, it does not give a result, and the sandbox is asked.
//!
//! Reading order: `expression` (the tree), `parser`, `evaluate`, `rule`; `operand`, `coercion` and
//! `arithmetic` hold JavaScript's conversions.

mod arithmetic;
mod coercion;
mod evaluate;
mod expression;
mod lexer;
mod number_text;
mod operand;
mod parser;
mod rule;
mod written;

pub(super) use evaluate::{FastError, evaluate};
pub(super) use expression::Expression;
pub(super) use operand::Operand;
pub(super) use parser::parse;
pub(super) use rule::FastRule;
