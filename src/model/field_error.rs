//! What is wrong with one value of a payload: for people as a sentence, for programs as a code with
//! its parameters, so that a frontend can put it in its own words.
//!
//! Codes are keywords of JSON Schema, parameters have the names that Ajv gives them: frontends know
//! both. Not here: how a value is checked (`keys`, `upload`, `expression::key_schemas`).

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value};

/// What is wrong, by the path of the payload it is wrong at; the empty path is the payload itself.
pub type FieldErrors = BTreeMap<String, FieldError>;

/// What is wrong with the value at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The keyword of JSON Schema that the value breaks: `required`, `type`, `minimum`, …
    pub code: Cow<'static, str>,
    /// "expected …, but …". Never repeats the value.
    pub message: String,
    /// What the keyword asks for: `{"limit": 18}`.
    pub params: Map<String, Value>,
}

impl FieldError {
    /// A broken keyword that has no parameters.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            params: Map::new(),
        }
    }

    /// With what the keyword asks for.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// A value that has to be there; `name` is its own, without the path to it.
    pub fn required(name: &str, message: impl Into<String>) -> Self {
        Self::new("required", message).with("missingProperty", name)
    }

    /// A value of another JSON type than this one.
    pub fn not_of_type(name: &str, message: impl Into<String>) -> Self {
        Self::new("type", message).with("type", name)
    }

    /// A value that nobody asked for; `name` is its own, without the path to it.
    pub fn additional(name: &str, message: impl Into<String>) -> Self {
        Self::new("additionalProperties", message).with("additionalProperty", name)
    }
}
