//! The problems of a process definition, as `deploy` prints them.

use std::path::Path;

use serde_json::{Value, json};

/// Finds the problems of a definition without a server, from the bytes of this file; it remembers
/// earlier files. If requested, it also explores the definition.
pub type Check = Box<dyn FnMut(&Path, &[u8], bool) -> CheckedFile>;

/// The result of checking a definition.
pub struct CheckedFile {
    /// Its problems.
    pub problems: Vec<FoundProblem>,
    /// The result of the exploration in one line; `None` if it was not explored.
    pub verdict: Option<String>,
}

/// A problem.
pub struct FoundProblem {
    /// Id of its element; empty for the document.
    pub element: String,
    /// Its stable name.
    pub code: String,
    /// The expected state, and how to fix it.
    pub message: String,
    /// Whether it prevents the deploy.
    pub refuses: bool,
}

impl FoundProblem {
    /// A problem reported by a server.
    pub fn from_answer(problem: &Value) -> Self {
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        Self {
            element: text("element"),
            code: text("code"),
            message: text("message"),
            refuses: problem["severity"] != "warning",
        }
    }

    /// As a line: `file: error at element: sentence [code]`.
    pub fn line(&self, file: &Path) -> String {
        let severity = if self.refuses { "error" } else { "warning" };
        let place = if self.element.is_empty() {
            String::new()
        } else {
            format!(" at '{}'", self.element)
        };
        format!(
            "{}: {severity}{place}: {} [{}]",
            file.display(),
            self.message,
            self.code
        )
    }

    /// In the form in which a server reports it.
    pub fn json(&self) -> Value {
        let severity = if self.refuses { "error" } else { "warning" };
        json!({"element": self.element, "code": self.code, "message": self.message, "severity": severity})
    }
}
