//! The condition of one sequence flow, compiled: on the fast path where its grammar allows, else as a script.

use serde_json::Value;

use super::fast;
use super::sandbox::{Outcome, ScriptError};
use super::script::Script;
use crate::model::evaluator::EvaluationError;

/// Longer conditions are refused, in bytes.
const MAX_LENGTH: usize = 16 << 10;

/// A compiled condition.
#[derive(Debug)]
pub enum Condition {
    /// Decided without a script engine.
    Fast(fast::Expression),
    /// Runs in the sandbox.
    Script(Script),
}

/// Why a condition's text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Written in a language that is not supported.
    Unsupported(String),
    /// Not an expression.
    Invalid(String),
}

impl Condition {
    /// Compiles a condition as the modeller wrote it: `${amount > 100}` or bare.
    ///
    /// # Errors
    /// What is wrong with it and where, as a sentence.
    pub fn compile(text: &str) -> Result<Self, Refusal> {
        if text.trim_start().starts_with('=') {
            return Err(Refusal::Unsupported(
                "expected a JavaScript condition such as `${amount > 100}`, but `=` begins FEEL, which is not supported yet; \
                 remove the `=` and write it in JavaScript"
                    .to_owned(),
            ));
        }
        if text.len() > MAX_LENGTH {
            return Err(Refusal::Invalid(format!(
                "expected a condition of at most {MAX_LENGTH} bytes, but it has {}; compute the value in an action before",
                text.len()
            )));
        }
        let expression = unwrap(text);
        if expression.trim().is_empty() {
            return Err(Refusal::Invalid("expected a condition such as `${amount > 100}`, but it is empty".to_owned()));
        }
        match fast::parse(&expression) {
            Some(tree) => Ok(Self::Fast(tree)),
            None => Script::compile(&expression).map(Self::Script).map_err(|error| Refusal::Invalid(refusal(&error))),
        }
    }

    /// Whether the condition holds over the instance data.
    ///
    /// # Errors
    /// It fails, reaches a limit of the sandbox, or gives something else than a boolean.
    pub fn evaluate(&self, data: &Value) -> Result<bool, EvaluationError> {
        let other = match self {
            Self::Fast(tree) => match fast::evaluate(tree, data).map_err(EvaluationError)? {
                fast::Operand::Bool(value) => return Ok(value),
                other => other.describe(),
            },
            Self::Script(script) => match script.run(data).map_err(|error| EvaluationError(failure(&error)))? {
                Outcome::Bool(value) => return Ok(value),
                Outcome::Other(other) => other,
            },
        };
        Err(EvaluationError(format!("expected true or false, but the condition gave {other}")))
    }
}

/// The expression within `${ }`. Blanks stand for the removed characters, so that positions stay those of the text.
fn unwrap(text: &str) -> String {
    let inner = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner else { return text.to_owned() };
    let before = text.len() - text.trim_start().len();
    format!("{}  {inner}", &text[..before])
}

fn refusal(error: &ScriptError) -> String {
    format!("expected a JavaScript expression, but {}{}; mend it there", error.place(), error.message)
}

fn failure(error: &ScriptError) -> String {
    format!("expected true or false, but the condition failed: {}", error.message)
}
