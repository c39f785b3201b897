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

use jsonschema::{
    PatternOptions, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value};

use super::schema_parts;
use crate::{
    limits::{KEY_CHECK_STEPS, KEY_REASON_STEPS, KEY_STEPS_ON_ARBITER, KEY_VIOLATIONS, Limit},
    model::field_error::FieldError,
    text::member_path::{push_item, push_member},
};

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
        let steps = parts * schema_parts::of_value(value, KEY_CHECK_STEPS / parts + 1);
        if steps > KEY_CHECK_STEPS {
            Limit::IntricateValues.refused();
            let sentence = format!(
                "expected a value that can be checked in {} steps, but it is too complex; send \
                less of it at once",
                KEY_CHECK_STEPS
            );
            return Err(vec![(
                String::new(),
                FieldError::new("tooIntricate", sentence).with("limit", KEY_CHECK_STEPS),
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
            .flat_map(|error| field_errors(&error, value))
            .take(KEY_VIOLATIONS)
            .collect())
    }
}

/// How a violation is reported. A missing or forbidden member is reported at its own path, where
/// forms show errors; the schema library names the object that contains it.
fn field_errors(error: &ValidationError<'_>, value: &Value) -> Vec<(String, FieldError)> {
    let path = dotted(error.instance_path().as_str(), value);
    let sentence = || {
        format!(
            "expected a value that the key's schema allows, but {}",
            error.masked_with("the value")
        )
    };
    match error.kind() {
        ValidationErrorKind::Required {
            property: Value::String(name),
        } => {
            vec![(member(&path, name), FieldError::required(name, sentence()))]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            additional(&path, unexpected.iter())
        }
        // What the schema library reports for a schema that allows no member.
        ValidationErrorKind::FalseSchema
            if error
                .schema_path()
                .as_str()
                .ends_with("/additionalProperties") =>
        {
            let object = value
                .pointer(error.instance_path().as_str())
                .and_then(Value::as_object);
            additional(&path, object.into_iter().flat_map(Map::keys))
        }
        kind => {
            let mut field_error = FieldError::new(kind.keyword().to_owned(), sentence());
            if let Some((name, value)) = param(kind) {
                field_error = field_error.with(name, value);
            }
            vec![(path, field_error)]
        }
    }
}

fn additional<'a>(
    path: &str,
    names: impl Iterator<Item = &'a String>,
) -> Vec<(String, FieldError)> {
    let sentence = "expected only members that the key's schema names, but it does not name this \
        one; leave it out";
    let field_error = |name: &String| (member(path, name), FieldError::additional(name, sentence));
    names.take(KEY_VIOLATIONS).map(field_error).collect()
}

/// The parameter of a keyword, under the name that Ajv gives it.
fn param(kind: &ValidationErrorKind) -> Option<(&'static str, Value)> {
    use ValidationErrorKind as Kind;
    Some(match kind {
        Kind::Type {
            kind: TypeKind::Single(name),
        } => ("type", name.to_string().into()),
        Kind::Type {
            kind: TypeKind::Multiple(names),
        } => (
            "type",
            names
                .iter()
                .map(|name| Value::from(name.to_string()))
                .collect::<Vec<_>>()
                .into(),
        ),
        Kind::Format { format } => ("format", format.as_str().into()),
        Kind::Pattern { pattern } => ("pattern", pattern.as_str().into()),
        Kind::Enum { options } => ("allowedValues", Value::clone(options)),
        Kind::Constant { expected_value } => ("allowedValue", Value::clone(expected_value)),
        Kind::Minimum { limit }
        | Kind::Maximum { limit }
        | Kind::ExclusiveMinimum { limit }
        | Kind::ExclusiveMaximum { limit } => ("limit", limit.clone()),
        Kind::MinLength { limit }
        | Kind::MaxLength { limit }
        | Kind::MinItems { limit }
        | Kind::MaxItems { limit }
        | Kind::MinProperties { limit }
        | Kind::MaxProperties { limit } => ("limit", (*limit).into()),
        Kind::AdditionalItems { limit } => ("limit", (*limit).into()),
        // The library has it only as a double.
        Kind::MultipleOf { multiple_of } if multiple_of.fract() == 0.0 => {
            ("multipleOf", (*multiple_of as i64).into())
        }
        Kind::MultipleOf { multiple_of } => ("multipleOf", (*multiple_of).into()),
        _ => return None,
    })
}

fn member(path: &str, name: &str) -> String {
    let mut path = path.to_owned();
    push_member(&mut path, name);
    path
}

/// A JSON pointer into `value`, in the path notation used everywhere else: `a.b[0]`.
fn dotted(pointer: &str, value: &Value) -> String {
    let (mut path, mut place) = (String::new(), Some(value));
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        match place {
            Some(Value::Array(items)) => {
                let index = name.parse().unwrap_or_default();
                push_item(&mut path, index);
                place = items.get(index);
            }
            _ => {
                push_member(&mut path, &name);
                place = place.and_then(|place| place.get(&name));
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn violations_have_codes_and_parameters() {
        for (schema, value, path, code, params) in [
            (
                json!({"required": ["a"]}),
                json!({}),
                "a",
                "required",
                json!({"missingProperty": "a"}),
            ),
            (
                json!({"type": "string"}),
                json!(1),
                "",
                "type",
                json!({"type": "string"}),
            ),
            (
                json!({"type": ["string", "null"]}),
                json!(1),
                "",
                "type",
                json!({"type": ["null", "string"]}),
            ),
            (
                json!({"format": "email"}),
                json!("x"),
                "",
                "format",
                json!({"format": "email"}),
            ),
            (
                json!({"pattern": "^a"}),
                json!("x"),
                "",
                "pattern",
                json!({"pattern": "^a"}),
            ),
            (
                json!({"enum": [1, "b"]}),
                json!("x"),
                "",
                "enum",
                json!({"allowedValues": [1, "b"]}),
            ),
            (
                json!({"const": true}),
                json!("x"),
                "",
                "const",
                json!({"allowedValue": true}),
            ),
            (
                json!({"minimum": 18}),
                json!(3),
                "",
                "minimum",
                json!({"limit": 18}),
            ),
            (
                json!({"maximum": 1.5}),
                json!(3),
                "",
                "maximum",
                json!({"limit": 1.5}),
            ),
            (
                json!({"exclusiveMinimum": 3}),
                json!(3),
                "",
                "exclusiveMinimum",
                json!({"limit": 3}),
            ),
            (
                json!({"exclusiveMaximum": 3}),
                json!(3),
                "",
                "exclusiveMaximum",
                json!({"limit": 3}),
            ),
            (
                json!({"multipleOf": 0.5}),
                json!(0.7),
                "",
                "multipleOf",
                json!({"multipleOf": 0.5}),
            ),
            (
                json!({"multipleOf": 2}),
                json!(3),
                "",
                "multipleOf",
                json!({"multipleOf": 2}),
            ),
            (
                json!({"minLength": 2}),
                json!("x"),
                "",
                "minLength",
                json!({"limit": 2}),
            ),
            (
                json!({"maxLength": 1}),
                json!("xx"),
                "",
                "maxLength",
                json!({"limit": 1}),
            ),
            (
                json!({"minItems": 1}),
                json!([]),
                "",
                "minItems",
                json!({"limit": 1}),
            ),
            (
                json!({"maxItems": 1}),
                json!([1, 2]),
                "",
                "maxItems",
                json!({"limit": 1}),
            ),
            (
                json!({"uniqueItems": true}),
                json!([1, 1]),
                "",
                "uniqueItems",
                json!({}),
            ),
            (
                json!({"minProperties": 1}),
                json!({}),
                "",
                "minProperties",
                json!({"limit": 1}),
            ),
            (
                json!({"items": {"minimum": 1}}),
                json!([1, 0]),
                "[1]",
                "minimum",
                json!({"limit": 1}),
            ),
            (
                json!({"properties": {"a": {"properties": {"c": true}, "additionalProperties": false}}}),
                json!({"a": {"b": 1, "c": 2}}),
                "a.b",
                "additionalProperties",
                json!({"additionalProperty": "b"}),
            ),
            (
                json!({"properties": {"a": {"required": ["b.c"]}}}),
                json!({"a": {}}),
                "a[\"b.c\"]",
                "required",
                json!({"missingProperty": "b.c"}),
            ),
            (
                json!({"properties": {"a/b~": {"items": {"properties": {"0": {"type": "string"}}}}}}),
                json!({"a/b~": [{"0": 1}]}),
                "a/b~[0].0",
                "type",
                json!({"type": "string"}),
            ),
            (
                json!({"properties": {"": {"type": "string"}}}),
                json!({"": 1}),
                "[\"\"]",
                "type",
                json!({"type": "string"}),
            ),
            (
                json!({"properties": {"a": {"additionalProperties": false}}}),
                json!({"a": {"b": 1}}),
                "a.b",
                "additionalProperties",
                json!({"additionalProperty": "b"}),
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"minimum": 5}]}),
                json!(3),
                "",
                "anyOf",
                json!({}),
            ),
            (
                json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}),
                json!(3),
                "",
                "oneOf",
                json!({}),
            ),
            (
                json!({"not": {"type": "number"}}),
                json!(3),
                "",
                "not",
                json!({}),
            ),
            (json!(false), json!(3), "", "falseSchema", json!({})),
        ] {
            let mut schemas = KeySchemas::default();
            schemas.add(&schema).expect("the test's schemas are valid");
            let found = schemas
                .check(&schema, &value)
                .expect_err("the value breaks the schema");
            let found_errors: Vec<_> = found
                .iter()
                .map(|(path, error)| (path.as_str(), &*error.code, json!(error.params)))
                .collect();
            assert_eq!(found_errors, [(path, code, params)], "{schema} {value}");
            let sentence = &found[0].1.message;
            assert!(
                sentence.starts_with("expected ") && sentence.contains(", but "),
                "{schema}: {sentence}"
            );
        }
    }

    #[test]
    fn a_schema_check_is_bounded_for_any_payload() {
        let schema = json!({"items": {"anyOf": [{"type": "string"}, {"required": ["a"], "properties": {"a": {"minimum": 1}}}]}});
        let mut schemas = KeySchemas::default();
        schemas.add(&schema).expect("a valid schema");
        let codes = |value: &Value| match schemas.check(&schema, value) {
            Ok(()) => Vec::new(),
            Err(found) => found
                .iter()
                .map(|(path, error)| format!("{path} {}", error.code))
                .collect(),
        };
        assert_eq!(
            codes(&json!(vec![json!("x"); 10_000])),
            Vec::<String>::new()
        );
        let mut wrong = vec![json!({"a": 0}); 10_000];
        assert_eq!(codes(&json!(wrong)), [" schema"]);
        wrong.truncate(100);
        assert_eq!(codes(&json!(wrong)).len(), KEY_VIOLATIONS);
        assert_eq!(
            codes(&json!(vec![json!({"a": 1}); 100_000])),
            [" tooIntricate"]
        );
        assert_eq!(codes(&json!([["x".repeat(2_000_000)]])), [" tooIntricate"]);
        assert!(
            !schemas.may_take_long(&json!([{"a": 1}]))
                && schemas.may_take_long(&json!(vec![0; 10_000]))
        );
    }

    #[test]
    fn schemas_of_unbounded_cost_are_refused() {
        let expression = json!({"anyOf": [{"type": "number"}, {"properties": {"op": {}, "arg": {"$ref": "#"}}}]});
        for schema in [
            expression,
            json!({"$ref": "https://example.com/x"}),
            json!({"enum": vec![0; 2_000]}),
        ] {
            assert!(KeySchemas::default().add(&schema).is_err(), "{schema}");
        }
    }
}
