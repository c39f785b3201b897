//! Conditions, business rules and key schemas: compiled once at deploy, evaluated behind
//! `model::evaluator::Evaluator`.
//!
//! Not here: templates (`model`), when a condition is evaluated and what follows from it
//! (`engine`), the threads that scripts run on (`runtime`).
//!
//! A condition is one JavaScript expression without side effects over the instance data; `effects`
//! and `other_languages` report at deploy what is not such an expression. [`compile`](compile())
//! puts it on the fast path (`fast`) when the fast path can decide it for every input; otherwise it
//! becomes a `script` that runs in the `sandbox`. Both give the same answer, and the same answer
//! every time: there is no clock, no randomness and no state from an earlier evaluation.
//!
//! Data go into the sandbox frozen and with every digit of their numbers (`input`); a script that
//! reads a text as a number keeps its digits or fails (`guards.js`), and comparisons are exact
//! (`exact_operators`).
//!
//! A condition sees the top-level keys of the data (a missing one is `undefined`), all data as
//! `input`, and the built-ins listed in `names`, which take precedence over keys of the same name.
//! The result must be `true` or `false`.
//!
//! A business rule (`rule`) is a script of statements that reads `input` and `now` and writes its
//! results to `output`; the module `output` converts these to JSON. The fast path takes those that
//! only declare names, choose by `if`, and write expressions.

mod compile;
mod condition;
mod effects;
mod engine;
mod exact_operators;
mod fast;
mod input;
mod key_schemas;
mod lexer;
mod names;
mod numerals;
mod other_languages;
mod output;
mod rule;
mod sandbox;
mod schema_parts;
mod script;
mod structure;
pub mod worker;

#[cfg(test)]
mod equivalence;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hostile_rules;
#[cfg(test)]
mod schema_numbers;
#[cfg(test)]
mod semantics;

pub use compile::{ProcessEvaluator, compile, decide};
