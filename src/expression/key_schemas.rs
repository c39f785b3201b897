//! The JSON Schemas of a definition's keys, compiled.
//!
//! Remote references are never fetched, patterns run in linear time, `format` is checked.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Validator, error::ValidationErrorKind, paths::LocationSegment};
use serde_json::Value;

/// At most so many violations are reported for one value.
const MAX_VIOLATIONS: usize = 50;
/// Approximate size limit of a compiled pattern, in bytes.
const MAX_PATTERN_SIZE: usize = 1 << 20;

/// Compiled schemas, found again by their text.
#[derive(Debug, Default)]
pub struct KeySchemas(HashMap<String, Validator>);

impl KeySchemas {
    /// Compiles `schema` and keeps it.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn add(&mut self, schema: &Value) -> Result<(), String> {
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_SIZE))
            .build(schema)
            .map_err(|error| {
                format!("expected a JSON Schema, but at `{}` {}; mend it or remove the schema", error.instance_path(), error)
            })?;
        self.0.insert(schema.to_string(), validator);
        Ok(())
    }

    /// Checks `value` against `schema`, which must have been added.
    ///
    /// # Errors
    /// One `(path below the key, sentence)` per violation; the sentences do not repeat the value.
    pub fn check(&self, schema: &Value, value: &Value) -> Result<(), Vec<(String, String)>> {
        let Some(validator) = self.0.get(&schema.to_string()) else {
            return Err(vec![(String::new(), "expected a schema of this definition, but it is another one".to_owned())]);
        };
        if validator.is_valid(value) {
            return Ok(());
        }
        Err(validator
            .iter_errors(value)
            .take(MAX_VIOLATIONS)
            .map(|error| {
                let sentence = format!("expected what the key's schema allows, but {}", error.masked_with("the value"));
                let mut path = dotted(error.instance_path().into_iter());
                // A missing member is told at its own path, where a form shows it; the schema library names its object.
                if let ValidationErrorKind::Required { property: Value::String(name) } = error.kind() {
                    push_member(&mut path, name);
                }
                (path, sentence)
            })
            .collect())
    }
}

/// As paths are written everywhere else: `a.b[0]`.
fn dotted<'a>(segments: impl Iterator<Item = LocationSegment<'a>>) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            LocationSegment::Index(index) => path.push_str(&format!("[{index}]")),
            LocationSegment::Property(name) => push_member(&mut path, &name),
        }
    }
    path
}

fn push_member(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}
