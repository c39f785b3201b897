//! The violation by one value of a payload: a sentence for people, and a code with parameters for
//! programs, so that a frontend can use texts of its own.
//!
//! Codes are keywords of JSON Schema, and parameters have the names that Ajv uses, because
//! frontends know both. Not here: checking values (`keys`, `upload`, `expression::key_schemas`).

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value};

/// Violations by the path in the payload; the empty path is the payload itself.
pub type FieldErrors = BTreeMap<String, FieldError>;

/// The violation by the value at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The violated keyword of JSON Schema: `required`, `type`, `minimum`, …
    pub code: Cow<'static, str>,
    /// "expected …, but …". Never repeats the value.
    pub message: String,
    /// The parameters of the keyword: `{"limit": 18}`.
    pub params: Map<String, Value>,
}

impl FieldError {
    /// A violation of a keyword without parameters.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            params: Map::new(),
        }
    }

    /// Adds a parameter of the keyword.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// A required value is missing; `name` is its own, without the path to it.
    pub fn required(name: &str, message: impl Into<String>) -> Self {
        Self::new("required", message).with("missingProperty", name)
    }

    /// The value does not have this JSON type.
    pub fn not_of_type(name: &str, message: impl Into<String>) -> Self {
        Self::new("type", message).with("type", name)
    }

    /// An unexpected value; `name` is its own, without the path to it.
    pub fn additional(name: &str, message: impl Into<String>) -> Self {
        Self::new("additionalProperties", message).with("additionalProperty", name)
    }
}
