//! What the engine asks of evaluated code: conditions, business rules and key schemas. The engine
//! sees only this trait.
//!
//! Implemented by `expression`; compiled once per definition revision, at deploy.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{field_error::FieldError, variables::Variables};

/// Evaluates the conditions, business rules and key schemas of one process definition. Pure: same
/// input, same answer.
pub trait Evaluator: Send + Sync {
    /// Whether the condition at `element` holds over these variables: an element has one at most,
    /// and it is known by its id (a sequence flow's, or a conditional
    /// event's).
    ///
    /// # Errors
    /// A failing condition: a script error with its text, a result that is not boolean, time or
    /// memory spent.
    fn condition(&self, element: &str, variables: &Variables<'_>) -> Result<bool, EvaluationError>;

    /// What the business rule of the action `action` of the node `node` puts out over these
    /// variables: a JSON object. `now` is the process time as ISO text, the only time a rule knows.
    ///
    /// # Errors
    /// An error of BPMN that the rule throws; or a failing rule, with the line in its script: what
    /// else it throws, an output that is not JSON, time or memory spent.
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

    /// Whether a command with this payload may take long: by a script, or by the check of an
    /// intricate payload. Its step does not run on an arbiter then.
    fn may_take_long(&self, payload: &Value) -> bool;
}

/// Why an evaluation gave no answer, as a sentence for the modeller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError(pub String);

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EvaluationError {}

/// Why a business rule put nothing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// It throws an error of BPMN, for whatever catches it.
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

/// An error of BPMN, as a script throws it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpmnError {
    /// Its code, at most [`limits::ERROR_CODE_BYTES`](crate::limits::ERROR_CODE_BYTES) long.
    pub code: String,
    /// What it says to people; may be empty.
    pub message: String,
}
