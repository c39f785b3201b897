//! A problem found in a process definition at deploy: its place, the mistake, and how to fix it.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::limits::PROBLEM_BYTES;

/// What is kept of the end of a long sentence, where it says how to fix it.
const END: usize = 1024;

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
            message: bounded(message.into()),
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
            message: bounded(message.into()),
            severity: Severity::Warning,
        }
    }
}

/// Leaves the middle out of a long sentence.
fn bounded(mut sentence: String) -> String {
    if sentence.len() > PROBLEM_BYTES {
        let end = sentence.ceil_char_boundary(sentence.len() - END);
        let middle = sentence.floor_char_boundary(PROBLEM_BYTES - END - '…'.len_utf8())..end;
        sentence.replace_range(middle, "…");
    }
    sentence
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_keeps_its_beginning_and_its_end() {
        let exact = "x".repeat(PROBLEM_BYTES);
        assert_eq!(Problem::error("a", "code", exact.clone()).message, exact);
        for text in ["x", "ü", "€", "🦀"] {
            let long = format!(
                "expected a, but `{}` is none; correct it",
                text.repeat(PROBLEM_BYTES)
            );
            for problem in [
                Problem::error("a", "code", long.clone()),
                Problem::warning("a", "code", long.clone()),
            ] {
                let short = problem.message;
                assert!(
                    short.len() <= PROBLEM_BYTES && short.len() > PROBLEM_BYTES - 8,
                    "{}",
                    short.len()
                );
                assert!(
                    short.starts_with("expected a, but `")
                        && short.ends_with("is none; correct it")
                );
                assert!(short.contains('…'));
            }
        }
    }
}
