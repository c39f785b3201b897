//! The problems of a process definition, as `deploy` prints them.

use std::path::Path;

use serde_json::{Value, json};

/// Finds the problems of a definition without a server, in the bytes of this file; it knows the
/// files before. If requested, it explores the definition, too.
pub type Check = Box<dyn FnMut(&Path, &[u8], bool) -> CheckedFile>;

/// What was found in a definition.
pub struct CheckedFile {
    /// Its problems.
    pub problems: Vec<FoundProblem>,
    /// What the exploration came to, in one line; `None` when there was none.
    pub verdict: Option<String>,
}

/// A problem.
pub struct FoundProblem {
    /// Id of the element it is at; empty for the document.
    pub element: String,
    /// Its stable name.
    pub code: String,
    /// What was expected and how to fix it.
    pub message: String,
    /// Whether it refuses the deploy.
    pub refuses: bool,
}

impl FoundProblem {
    /// One as a server tells it.
    pub fn told(problem: &Value) -> Self {
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

    /// As a server tells it.
    pub fn json(&self) -> Value {
        let severity = if self.refuses { "error" } else { "warning" };
        json!({"element": self.element, "code": self.code, "message": self.message, "severity": severity})
    }
}
