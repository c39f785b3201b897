//! Conditions, business rules and key schemas: compiled once at deploy, evaluated behind
//! `model::evaluator::Evaluator`.
//!
//! Not here: templates (`model`), when a condition is asked for and what follows from it
//! (`engine`), the threads scripts run on (`runtime`).
//!
//! A condition is one JavaScript expression without effect over the instance data; `effects` and
//! `other_languages` say at deploy what is none. [`compile`](compile()) puts it on the fast path
//! (`fast`) when it can decide it for every input, else it makes a `script` of it that runs in the
//! `sandbox`. Both give the same answer, and the same answer every time: there is no clock, no
//! randomness and nothing left over from an earlier evaluation.
//!
//! Data go into the sandbox frozen and with every digit of their numbers (`input`); a script that
//! reads a text as a number keeps its digits or fails (`guards.js`), and comparisons are exact
//! (`exact_operators`).
//!
//! In scope of a condition are the top-level keys of the data (a missing one is `undefined`), all
//! data as `input`, and the built-ins listed in `names`, which win over keys of the same name. The
//! result must be `true` or `false`.
//!
//! A business rule (`rule`) is a script of statements that reads `input` and `now` and puts what it
//! finds into `output`; `output` (the module) makes JSON of that.

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
