//! A condition as a script for the sandbox: its expression wrapped in a function whose parameters
//! are the data.
//!
//! The parameters are all words of the text that can be variables, also those in strings: a
//! superfluous one does no harm, and a top-level key missing in the data is `undefined` instead of
//! a `ReferenceError`.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::Value;

use super::exact_operators::Forms;
use super::lexer;
use super::names::{INPUT, input_is_all_data, is_built_in, is_reserved};
use super::sandbox::{ScriptError, ScriptOutcome, check_syntax};
use super::worker::call;
use crate::model::variables::Variables;

/// The line of the wrapped source in which the expression begins.
const FIRST_LINE: u32 = 2;
/// The name of all data when the text does not use it.
const ALL_DATA: &str = "$stepwireData";

/// A condition that runs in the sandbox.
#[derive(Debug)]
pub struct Script {
    /// Function expressions.
    forms: Forms,
    /// The function's parameters after `input`.
    names: Vec<String>,
    /// Whether the text uses all data, not only the members in `names`.
    reads_input: bool,
}

impl Script {
    /// Compiles `expression`.
    ///
    /// # Errors
    /// The syntax error, with its place in `expression`.
    pub fn compile(expression: &str) -> Result<Self, ScriptError> {
        // Also compiled as an array: what is an expression both in `( )` and in `[ ]` cannot have
        // closed the bracket around it.
        check_syntax(&[
            wrap(&[], '[', expression, ']'),
            wrap(&[], '(', expression, ')'),
        ])
        .map_err(|error| error.in_text(expression, FIRST_LINE))?;
        let tokens = lexer::tokens(expression).ok();
        let input_is_all_data = tokens.as_deref().is_none_or(input_is_all_data);
        let (ascii, other): (Vec<_>, Vec<_>) = words(expression)
            .into_iter()
            .filter(|word| *word != INPUT || !input_is_all_data)
            .partition(|word| word.is_ascii());
        let mut names: Vec<String> = ascii.into_iter().map(str::to_owned).collect();
        // Only the engine knows exactly which other letters may be in a variable.
        names.extend(
            other
                .into_iter()
                .filter(|word| is_variable(word))
                .map(str::to_owned),
        );
        let reads_input = input_is_all_data && expression.contains(INPUT);
        let wrap = |text: &str| wrap(&names, '(', text, ')');
        Ok(Self {
            forms: Forms::of(expression, tokens.as_deref(), wrap),
            names,
            reads_input,
        })
    }

    /// Runs it over these variables.
    ///
    /// # Errors
    /// An exception of the script, or a reached limit.
    pub fn run(&self, variables: &Variables<'_>) -> Result<ScriptOutcome, ScriptError> {
        let used = if self.reads_input {
            variables.merged()
        } else {
            let used = self.names.iter();
            let used = used.filter_map(|name| Some((name.clone(), variables.get(name)?.clone())));
            Cow::Owned(Value::Object(used.collect()))
        };
        call(&self.forms.over(&used)?.source, &self.names, &used)
    }
}

fn wrap(names: &[String], open: char, expression: &str, close: char) -> String {
    let parameters: String = names.iter().map(|name| format!(",{name}")).collect();
    // All data have another name when `input` is a variable.
    let all = match names.iter().any(|name| name == INPUT) {
        true => ALL_DATA,
        false => INPUT,
    };
    format!("(function({all}{parameters}){{'use strict';return {open}\n{expression}\n{close}}})")
}

fn words(text: &str) -> BTreeSet<&str> {
    // JavaScript counts the byte order mark as white space; Unicode does not.
    let separates = |c: char| {
        c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' && c != '$'
            || c.is_whitespace()
            || c == '\u{feff}'
    };
    text.split(separates)
        .filter(|word| !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()))
        .filter(|word| !is_reserved(word) && !is_built_in(word))
        .collect()
}

fn is_variable(word: &str) -> bool {
    check_syntax(&[format!("(function({word}){{'use strict'}})")]).is_ok()
}
