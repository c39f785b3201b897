//! The JSON Schemas of a definition's keys, compiled.
//!
//! References are not fetched and not recursive, patterns run in linear time, `format` is checked.
//! The work of a check is bounded by the parts of the schema and of the value (`schema_parts`).
//!
//! # Rationale
//!
//! **Key schemas have no cycles, so that a check has a bound**: parts of the schema times parts of
//! the value, counted before the schema library runs. Within the bound the library may build
//! detailed errors; for large products an error no longer says where it is. Long checks do not run
//! on the arbiter's thread.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::schema_parts;
use crate::{
    limits::{KEY_CHECK_STEPS, KEY_REASON_STEPS, KEY_STEPS_ON_ARBITER, KEY_VIOLATIONS, Limit},
    model::field_error::FieldError,
};

mod violations;

/// Approximate size limit of a compiled pattern, in bytes.
const MAX_PATTERN_SIZE: usize = 1 << 20;

/// Compiled schemas, looked up by their text.
#[derive(Debug, Default)]
pub struct KeySchemas {
    by_text: HashMap<String, Compiled>,
    most_parts: usize,
}

#[derive(Debug)]
struct Compiled {
    validator: Validator,
    parts: usize,
}

impl KeySchemas {
    /// Compiles `schema` and stores it.
    ///
    /// # Errors
    /// The mistake in the schema, as a sentence.
    pub fn add(&mut self, schema: &Value) -> Result<(), String> {
        let parts = schema_parts::count(schema)?;
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_SIZE))
            .build(schema)
            .map_err(|error| {
                format!(
                    "expected a JSON Schema, but at `{}` {}; correct it or remove the schema",
                    error.instance_path(),
                    error
                )
            })?;
        self.by_text
            .insert(schema.to_string(), Compiled { validator, parts });
        self.most_parts = self.most_parts.max(parts);
        Ok(())
    }

    /// Whether checking this payload may take longer than the arbiter should be busy.
    pub fn may_take_long(&self, payload: &Value) -> bool {
        let maximum = KEY_STEPS_ON_ARBITER / self.most_parts.max(1) + 1;
        self.most_parts > 0 && schema_parts::of_value(payload, maximum) >= maximum
    }

    /// Checks `value` against `schema`, which must have been added before.
    ///
    /// # Errors
    /// One `(path below the key, what is wrong)` per violation; the sentences do not repeat the
    /// value.
    pub fn check(&self, schema: &Value, value: &Value) -> Result<(), Vec<(String, FieldError)>> {
        let Some(Compiled { validator, parts }) = self.by_text.get(&schema.to_string()) else {
            let sentence = "expected a schema of this definition, but it is another one";
            return Err(vec![(String::new(), FieldError::new("$ref", sentence))]);
        };
        let steps = parts * schema_parts::of_value(value, KEY_CHECK_STEPS.get() / parts + 1);
        if steps > KEY_CHECK_STEPS.get() {
            Limit::IntricateValues.refused();
            let sentence = format!(
                "expected a value that can be checked in {} steps, but it is too complex; send \
                less of it at once",
                KEY_CHECK_STEPS.get()
            );
            return Err(vec![(
                String::new(),
                FieldError::new("tooIntricate", sentence).with("limit", KEY_CHECK_STEPS.get()),
            )]);
        }
        if validator.is_valid(value) {
            return Ok(());
        }
        if steps > KEY_REASON_STEPS {
            let sentence = "expected a value that the key's schema allows, but a part of it is \
                not; the value is too complex to say which";
            return Err(vec![(String::new(), FieldError::new("schema", sentence))]);
        }
        let errors = validator.iter_errors(value).take(KEY_VIOLATIONS);
        Err(errors
            .flat_map(|error| violations::field_errors(&error, value))
            .take(KEY_VIOLATIONS)
            .collect())
    }
}

#[cfg(test)]
mod tests;
