//! A problem found in a process definition at deploy: its place, the mistake, and how to fix it.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// One problem. A deploy lists all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DefinitionProblem)]
pub struct Problem {
    /// Id of the element (or the process) it is at; empty when the document itself is unreadable.
    pub element: String,
    /// Stable name, `snake_case`.
    pub code: &'static str,
    /// What was expected and how to fix it.
    pub message: String,
    /// Whether it refuses the deploy.
    pub severity: Severity,
}

/// As a line: `error at 'element': sentence [code]`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        f.write_str(severity)?;
        if !self.element.is_empty() {
            write!(f, " at '{}'", self.element)?;
        }
        write!(f, ": {} [{}]", self.message, self.code)
    }
}

impl Problem {
    /// A problem that refuses the deploy.
    pub fn error(
        element: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            element: element.into(),
            code,
            message: message.into(),
            severity: Severity::Error,
        }
    }

    /// A problem that is reported only.
    pub fn warning(
        element: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            element: element.into(),
            code,
            message: message.into(),
            severity: Severity::Warning,
        }
    }
}

/// The severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Refuses the deploy.
    Error,
    /// Is only reported.
    Warning,
}
