//! What the schema library finds wrong with a value, as errors of fields: with the path, the keyword
//! and its parameter under the name that Ajv gives it.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value};

use crate::{
    limits::KEY_VIOLATIONS,
    model::field_error::FieldError,
    text::member_path::{push_item, push_member},
};

/// How a violation is reported. A missing or forbidden member is reported at its own path, where
/// forms show errors; the schema library names the object that contains it.
pub(super) fn field_errors(
    error: &ValidationError<'_>,
    value: &Value,
) -> Vec<(String, FieldError)> {
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
