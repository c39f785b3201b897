//! Keys: the data that a client may send. They are path prefixes by whole segments; other data are
//! ignored or, if the keys are strict, refused.
//!
//! Not here: evaluating a JSON Schema ([`Evaluator::check_schema`]).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    action::Key,
    evaluator::Evaluator,
    field_error::{FieldError, FieldErrors},
    input_schema::InputSchema,
    path::{DataPath, Segment},
    variables::Variables,
};
use crate::text::member_path::push_member;

/// A compiled key list. The default accepts nothing.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    keys: Vec<CompiledKey>,
    names: Vec<String>,
    strict: bool,
    everything: bool,
    input_schema: Option<Arc<InputSchema>>,
}

#[derive(Clone, Debug)]
struct CompiledKey {
    path: DataPath,
    required: bool,
    schema: Option<Value>,
}

/// The part of a payload that the keys accept.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// A JSON object: the members under the keys, to be merged.
    pub data: Value,
    /// The shortest paths that were left out.
    pub ignored: Vec<String>,
}

impl Keys {
    /// Compiles a key list. With `strict`, a payload path that no key covers refuses the payload.
    ///
    /// # Errors
    /// The first invalid path, as a sentence.
    pub fn compile(keys: &[Key], strict: bool) -> Result<Self, String> {
        let compile_key = |key: &Key| {
            let path = DataPath::parse_members(&key.path)?;
            Ok(CompiledKey {
                path,
                required: key.required,
                schema: key.schema.clone(),
            })
        };
        Ok(Self {
            keys: keys
                .iter()
                .map(compile_key)
                .collect::<Result<_, String>>()?,
            names: keys.iter().map(|key| key.path.clone()).collect(),
            strict,
            everything: false,
            input_schema: InputSchema::of(keys, strict).map(Arc::new),
        })
    }

    /// Keys that accept every object, like the built-in action `complete`.
    pub fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// The paths as written, in document order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The paths that must be present and not null.
    pub fn required(&self) -> Vec<&str> {
        self.keys
            .iter()
            .zip(&self.names)
            .filter(|(key, _)| key.required)
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// The schema of accepted data; `None` if nothing, or everything, is accepted.
    pub fn input_schema(&self) -> Option<&Arc<InputSchema>> {
        self.input_schema.as_ref()
    }

    /// The values of the variables at these paths, as an object: the initial values of a form.
    /// `None` if there are none, or if they have more than about `maximum` bytes as JSON.
    pub fn held_by(&self, variables: &Variables<'_>, maximum: usize) -> Option<Value> {
        let held = |key: &CompiledKey| variables.at(&key.path).filter(|value| !value.is_null());
        let mut left = maximum;
        let mut found = Value::Null;
        for key in &self.keys {
            if let Some(value) = held(key) {
                take_bytes(value, &mut left)?;
                key.path.set(&mut found, value.clone());
            }
        }
        (!found.is_null()).then_some(found)
    }

    /// Whether nothing is accepted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Filters a payload. A `null` payload counts as an empty one.
    ///
    /// # Errors
    /// Each path that is required and missing, violates its schema, or is not covered although the
    /// keys are strict. A payload that is not an object is reported at the empty path.
    pub fn accept(
        &self,
        payload: &Value,
        evaluator: &dyn Evaluator,
    ) -> Result<Accepted, FieldErrors> {
        let mut data = Value::Object(Map::new());
        let mut violations = FieldErrors::new();
        let mut ignored = Vec::new();
        match payload {
            Value::Object(_) if self.everything => {
                return Ok(Accepted {
                    data: payload.clone(),
                    ignored: Vec::new(),
                });
            }
            Value::Object(members) => {
                self.collect_uncovered(members, &mut Vec::new(), &mut ignored)
            }
            Value::Null => {}
            _ => {
                let sentence = "expected a JSON object, but got another kind of value";
                return Err([(String::new(), FieldError::not_of_type("object", sentence))].into());
            }
        }
        for (key, name) in self.keys.iter().zip(&self.names) {
            let value = key.path.get(payload);
            if key.required && value.is_none_or(Value::is_null) {
                let sentence = "expected a value, but it is missing or null; send one";
                violations.insert(name.clone(), FieldError::required(last(name), sentence));
                continue;
            }
            let Some(value) = value else { continue };
            if let Some(schema) = &key.schema
                && let Err(found) = evaluator.check_schema(schema, value)
            {
                for (below, error) in found {
                    violations.entry(join(name, &below)).or_insert(error);
                }
            }
            key.path.set(&mut data, value.clone());
        }
        if self.strict {
            for (path, name) in &ignored {
                violations
                    .entry(path.clone())
                    .or_insert_with(|| FieldError::additional(name, self.not_covered()));
            }
        }
        if violations.is_empty() {
            let ignored = ignored.into_iter().map(|(path, _)| path).collect();
            Ok(Accepted { data, ignored })
        } else {
            Err(violations)
        }
    }

    /// Lists the shortest paths of `members` that are left out, each with its last name. A key
    /// below a member covers nothing if the member is not an object, so such a member is listed
    /// itself.
    fn collect_uncovered<'a>(
        &self,
        members: &'a Map<String, Value>,
        at: &mut Vec<&'a str>,
        ignored: &mut Vec<(String, &'a str)>,
    ) {
        for (name, value) in members {
            at.push(name);
            if !self
                .keys
                .iter()
                .any(|key| is_prefix(key.path.segments(), at))
            {
                let key_below = self
                    .keys
                    .iter()
                    .any(|key| reaches_below(key.path.segments(), at));
                match value {
                    Value::Object(members) if key_below => {
                        self.collect_uncovered(members, at, ignored)
                    }
                    _ => {
                        let mut path = String::new();
                        at.iter().for_each(|name| push_member(&mut path, name));
                        ignored.push((path, name));
                    }
                }
            }
            at.pop();
        }
    }

    fn not_covered(&self) -> String {
        match self.names.as_slice() {
            [] => "expected no data, but this was sent; leave it out".to_owned(),
            names => format!(
                "expected only data under {}, but this lies elsewhere; leave it out",
                names.join(", ")
            ),
        }
    }
}

/// Whether the key is the path or one of its prefixes.
fn is_prefix(key: &[Segment], path: &[&str]) -> bool {
    key.len() <= path.len() && matches_on_shorter(key, path)
}

/// Whether the path is a proper prefix of the key.
fn reaches_below(key: &[Segment], path: &[&str]) -> bool {
    key.len() > path.len() && matches_on_shorter(key, path)
}

fn matches_on_shorter(key: &[Segment], path: &[&str]) -> bool {
    key.iter()
        .zip(path)
        .all(|(segment, name)| matches!(segment, Segment::Member(member) if &**member == *name))
}

/// The last member of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn join(key: &str, below: &str) -> String {
    match below {
        "" => key.to_owned(),
        _ if below.starts_with('[') => format!("{key}{below}"),
        _ => format!("{key}.{below}"),
    }
}

/// Subtracts the length of a value as JSON from `left`; `None` if there are too few.
fn take_bytes(value: &Value, left: &mut usize) -> Option<()> {
    let own = match value {
        Value::String(text) => text.len() + 2,
        Value::Object(members) => members.keys().map(|name| name.len() + 4).sum::<usize>() + 2,
        Value::Array(items) => items.len() + 2,
        Value::Number(_) | Value::Bool(_) | Value::Null => 8,
    };
    *left = left.checked_sub(own)?;
    match value {
        Value::Object(members) => members
            .values()
            .try_for_each(|value| take_bytes(value, left)),
        Value::Array(items) => items.iter().try_for_each(|value| take_bytes(value, left)),
        _ => Some(()),
    }
}

#[cfg(test)]
mod tests;
