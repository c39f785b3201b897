//! An invalid configuration, with all mistakes in it.

use std::fmt;

/// An invalid configuration; the text says what was expected and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The mistakes in the options, one sentence each.
pub(super) struct ConfigFaults(pub Vec<String>);

impl ConfigFaults {
    /// The value, if it is valid; otherwise the mistake is recorded.
    pub fn unless<T>(&mut self, checked: Result<T, ConfigError>) -> Option<T> {
        checked.map_err(|error| self.0.push(error.0)).ok()
    }

    /// All mistakes as one error: one sentence, or a line for each.
    pub fn into_error(self, production: bool) -> ConfigError {
        if let [sentence] = self.0.as_slice() {
            return ConfigError(sentence.clone());
        }
        let fit = if production {
            "options that are fit for production"
        } else {
            "options that can be used"
        };
        let lines: String = self
            .0
            .iter()
            .map(|sentence| format!("\n  - {sentence}"))
            .collect();
        ConfigError(format!(
            "expected {fit}, but {} are not:{lines}",
            self.0.len()
        ))
    }
}
