//! The interface between the engine and evaluated code: conditions, business rules and key schemas.
//! The engine sees only this trait.
//!
//! `expression` implements it; compiled once per revision of a definition, at deploy.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{field_error::FieldError, variables::Variables};

/// Evaluates the conditions, business rules and key schemas of one process definition. Pure: the
/// same input gives the same result.
pub trait Evaluator: Send + Sync {
    /// Whether the condition at `element` is true for these variables. An element has at most one
    /// condition, known by the element's id (that of a sequence flow or of a conditional event).
    ///
    /// # Errors
    /// A failing condition: a script error with its text, a result that is not boolean, or a limit
    /// of time or memory exceeded.
    fn condition(&self, element: &str, variables: &Variables<'_>) -> Result<bool, EvaluationError>;

    /// The output of the business rule of action `action` of node `node` for these variables: a
    /// JSON object. `now` is the process time as ISO text, the only time that a rule can read.
    ///
    /// # Errors
    /// A BPMN error that the rule throws; or a failing rule, with the line in its script: another
    /// exception, an output that is not JSON, or a limit of time or memory exceeded.
    fn rule(
        &self,
        node: &str,
        action: &str,
        variables: &Variables<'_>,
        now: &str,
    ) -> Result<Value, RuleError>;

    /// Checks a value sent under a key against that key's JSON Schema.
    ///
    /// # Errors
    /// One `(path below the key, what is wrong)` per violation.
    fn check_schema(&self, schema: &Value, value: &Value) -> Result<(), Vec<(String, FieldError)>>;

    /// Whether a command with this payload to an instance that takes `memory` bytes may take long,
    /// because of a script, an expression over much data, or the check of an intricate payload. Then
    /// its step does not run on an arbiter.
    fn may_take_long(&self, payload: &Value, memory: usize) -> bool;
}

/// Why an evaluation failed, as a sentence for the modeller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError(pub String);

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EvaluationError {}

/// Why a business rule has no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// It throws a BPMN error, which may be caught.
    Thrown(BpmnError),
    /// It fails.
    Failed(EvaluationError),
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thrown(error) => write!(f, "it throws error '{}'", error.code),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// A BPMN error thrown by a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpmnError {
    /// Its code, at most [`limits::ERROR_CODE_BYTES`](crate::limits::ERROR_CODE_BYTES) long.
    pub code: String,
    /// Its message for people; may be empty.
    pub message: String,
}
