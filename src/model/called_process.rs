//! The process that a call activity calls or an action starts: an id, or a text that is read from the
//! data when the call begins.
//!
//! Not here: which version runs (`runtime::start_child`).

use serde_json::Value;

use super::{
    computed_template::ComputedTemplate, path::DataPath, template::Builtins,
    validate::MAX_NAME_BYTES, variables::Variables,
};

/// The id of a called process.
#[derive(Debug)]
pub struct CalledProcess(ComputedTemplate);

impl CalledProcess {
    /// Compiles an id, in which `${path}` is replaced by a value of the data.
    ///
    /// # Errors
    /// What is no template, as a sentence.
    pub fn compile(written: &str) -> Result<Self, String> {
        ComputedTemplate::compile_text(written).map(Self)
    }

    /// The id, if that does not depend on data.
    pub fn fixed(&self) -> Option<&str> {
        self.0.constant()?.as_str()
    }

    /// The id with these data.
    ///
    /// # Errors
    /// What is no id of a process, as a sentence.
    pub fn id(&self, data: Variables<'_>, builtins: &Builtins<'_>) -> Result<String, String> {
        let is_missing = |path: &&DataPath| data.at(path).is_none_or(Value::is_null);
        if let Some(path) = self.0.paths().into_iter().find(is_missing) {
            return Err(format!(
                "expected the id of a process, but the data have no `{path}`; correct the data \
                (patch) and retry"
            ));
        }
        let id = match self.0.render(data, builtins)? {
            Value::String(id) => id,
            other => other.to_string(),
        };
        let is_id = id.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
        if is_id && !id.is_empty() && id.len() <= MAX_NAME_BYTES {
            return Ok(id);
        }
        let shown: String = id.chars().take(40).collect();
        Err(format!(
            "expected the id of a process, but the data give `{shown}`; correct the data (patch) \
            and retry"
        ))
    }
}
