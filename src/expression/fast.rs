//! The fast path: evaluates conditions and rules of comparisons, boolean operators, arithmetic,
//! literals and data paths without a script engine.
//!
//! It accepts a condition or rule completely or not at all: [`parse`] and [`FastRule::parse`] give
//! `None` for anything else, which runs in the sandbox. What they accept must have the same result as
//! in the sandbox on every input (property tests in `equivalence`); only the sandbox's time and
//! memory limits do not apply here, so what may take long ([`is_long`]) has to run there. Where
//! arithmetic would need conversions that are not here, as between a `BigInt` and a number, it does
//! not give a result, and the sandbox is asked.
//!
//! Plain expressions of FEEL and JUEL ([`parse_plain`]) run here only, as their comparisons differ from
//! JavaScript's (`foreign`).
//!
//! Reading order: `expression` (the tree), `parser`, `evaluate`, `rule`; `operand`, `coercion` and
//! `arithmetic` hold JavaScript's conversions.

use serde_json::Value;

use crate::text::memory;

mod arithmetic;
mod coercion;
mod evaluate;
mod expression;
mod foreign;
mod lexer;
mod number_text;
mod operand;
mod parser;
mod rule;
mod written;

pub(super) use evaluate::{FastError, evaluate};
pub(super) use expression::{Expression, Language};
pub(super) use operand::Operand;
pub(super) use parser::{parse, parse_plain};
pub(super) use rule::FastRule;

/// The length of an expression times the memory of what it may read, both in bytes, from which it
/// may take long: each of its operators may make a text of a whole list.
const LONG_EVALUATION: usize = 32 << 20;

/// Whether an expression of this length may take long over these data, beside others that take
/// `memory` bytes.
pub(super) fn is_long(length: usize, memory: usize, data: &Value) -> bool {
    let Some(most) = LONG_EVALUATION.checked_div(length) else {
        return false;
    };
    let left = most.checked_sub(memory);
    left.is_none_or(|left| memory::exceeds(data, left))
}
