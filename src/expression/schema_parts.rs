//! How much work a JSON Schema can cause: the number of its parts, where the target of a reference
//! counts as often as it is referred to.
//!
//! A check visits each part of a value with each part of the schema at most once, so the product of
//! their parts bounds it, whatever the two contain. That holds only without cycles, so a schema
//! that refers to itself, or to something outside itself, is rejected. The parts are counted before
//! the schema library sees the schema, as the library copies the targets of references. Not here:
//! the check (`key_schemas`).

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use super::numerals::MAX_SAFE;
use crate::limits::KEY_SCHEMA_PARTS;

/// Keywords whose values are data, in which there are no references.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "required"];
/// Keywords whose members have names chosen by the modeller: a member named `$ref` is not a
/// reference.
const NAMED: [&str; 4] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
];
/// Keywords whose values are visited only by reference.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
/// References whose target depends on where a check comes from.
const DYNAMIC: [&str; 2] = ["$dynamicRef", "$recursiveRef"];
/// For these keywords the schema library visits the same parts a second time.
const TWICE: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// Counts the parts of a schema: every value in it, and every value in the targets of its
/// references.
///
/// # Errors
/// A sentence, when the schema refers to itself or to something outside itself, or has more than
/// [`KEY_SCHEMA_PARTS`] parts.
pub fn count(schema: &Value) -> Result<usize, String> {
    // Definitions without a reference to them are read nevertheless.
    bounded(of_data(schema))?;
    PartCounter {
        root: schema,
        counted: HashMap::new(),
        open: Vec::new(),
    }
    .schema(schema)
}

/// Counts the parts of a value, strings by their length; stops counting at `most`.
pub fn of_value(value: &Value, most: usize) -> usize {
    let (mut parts, mut waiting) = (0, vec![value]);
    while let Some(value) = waiting.pop() {
        parts += match value {
            Value::String(text) => 1 + text.len() / 16,
            Value::Array(items) => {
                waiting.extend(items);
                1
            }
            Value::Object(members) => {
                waiting.extend(members.values());
                1 + members.keys().map(|name| name.len() / 16).sum::<usize>()
            }
            _ => 1,
        };
        if parts >= most {
            return most;
        }
    }
    parts
}

struct PartCounter<'a> {
    root: &'a Value,
    /// Number of parts of the targets of references.
    counted: HashMap<&'a str, usize>,
    /// References being followed.
    open: Vec<&'a str>,
}

impl<'a> PartCounter<'a> {
    fn schema(&mut self, schema: &'a Value) -> Result<usize, String> {
        let mut parts = 1;
        match schema {
            Value::Array(schemas) => {
                for schema in schemas {
                    parts = bounded(parts + self.schema(schema)?)?;
                }
            }
            Value::Object(keywords) => {
                for (keyword, value) in keywords {
                    parts = bounded(
                        parts + self.keyword(keyword, value, std::ptr::eq(schema, self.root))?,
                    )?;
                }
                if TWICE.iter().any(|keyword| keywords.contains_key(*keyword)) {
                    parts = bounded(2 * parts)?;
                }
            }
            _ => {}
        }
        Ok(parts)
    }

    fn keyword(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        at_root: bool,
    ) -> Result<usize, String> {
        match (keyword, value) {
            ("$ref", Value::String(reference)) => self.target(reference),
            ("$id", Value::String(_)) if !at_root => Err(
                "expected `$id` at the root of the schema only, but it is also inside; remove it \
                    there"
                    .to_owned(),
            ),
            // Below that, the divisors of the schema library, which are doubles, are exact.
            ("multipleOf", Value::Number(divisor))
                if divisor
                    .as_u64()
                    .is_some_and(|divisor| divisor > MAX_SAFE.cast_unsigned()) =>
            {
                Err(format!(
                    "expected a `multipleOf` below 2^53, but it is {divisor}, for which values \
                    cannot be checked exactly"
                ))
            }
            _ if DYNAMIC.contains(&keyword) => Err(format!(
                "expected references by `$ref`, but there is a `{keyword}`; write out its target"
            )),
            _ if DEFINITIONS.contains(&keyword) => Ok(0),
            _ if DATA.contains(&keyword) => Ok(of_data(value)),
            (_, Value::Object(members)) if NAMED.contains(&keyword) => members
                .values()
                .try_fold(1, |parts, schema| bounded(parts + self.schema(schema)?)),
            _ => self.schema(value),
        }
    }

    fn target(&mut self, reference: &'a str) -> Result<usize, String> {
        if let Some(parts) = self.counted.get(reference) {
            return Ok(*parts);
        }
        if self.open.contains(&reference) {
            return Err(format!(
                "expected a schema that ends, but `$ref` `{reference}` leads to itself; write \
                out as many levels as are needed"
            ));
        }
        let target = reference
            .strip_prefix('#')
            .and_then(percent_decoded)
            .and_then(|pointer| self.root.pointer(&pointer))
            .ok_or_else(|| {
                format!(
                    "expected a `$ref` to a part of this schema such as `#/$defs/address`, but \
                got `{reference}`; put it in here"
                )
            })?;
        self.open.push(reference);
        let parts = self.schema(target)?;
        self.open.pop();
        self.counted.insert(reference, parts);
        Ok(parts)
    }
}

/// The fragment of an address, percent-decoded; `None` when the result is not text.
fn percent_decoded(fragment: &str) -> Option<Cow<'_, str>> {
    if !fragment.contains('%') {
        return Some(Cow::Borrowed(fragment));
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(fragment.len()), fragment);
    while let Some((plain, coded)) = rest.split_once('%') {
        bytes.extend(plain.bytes());
        bytes.push(u8::from_str_radix(coded.get(..2)?, 16).ok()?);
        rest = &coded[2..];
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn bounded(parts: usize) -> Result<usize, String> {
    if parts <= KEY_SCHEMA_PARTS {
        return Ok(parts);
    }
    Err(format!(
        "expected a schema of at most {KEY_SCHEMA_PARTS} parts, what a `$ref` leads to counted \
        each time, but it has more; make it simpler"
    ))
}

fn of_data(value: &Value) -> usize {
    of_value(value, KEY_SCHEMA_PARTS + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_counted_through_references() {
        for (schema, parts) in [
            (json!(true), 1),
            (json!({"type": "string"}), 2),
            (
                json!({"properties": {"a": {"$ref": "#/$defs/x"}, "$ref": {"type": "null"}}, "$defs": {"x": {"type": "null"}}}),
                7,
            ),
            (json!({"enum": [1, {"$ref": "nowhere"}]}), 5),
            (
                json!({"anyOf": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/x"}], "$defs": {"x": {"minimum": 1}}}),
                8,
            ),
            (json!({"items": {"unevaluatedProperties": false}}), 5),
            (
                json!({"$ref": "#/$defs/a%20b%C3%A4~1c", "$defs": {"a bä/c": {"type": "null"}}}),
                3,
            ),
        ] {
            assert_eq!(count(&schema), Ok(parts), "{schema}");
        }
    }

    #[test]
    fn unbounded_schemas_are_refused() {
        let nested = (1..20).fold(json!({"d0": {"type": "null"}}), |mut defs, level| {
            let below = format!("#/$defs/d{}", level - 1);
            defs[format!("d{level}")] = json!({"anyOf": [{"$ref": below}, {"$ref": below}]});
            defs
        });
        let expression = json!({"anyOf": [{"type": "number"}, {"properties": {"op": {}, "arg": {"$ref": "#"}, "more": {"$ref": "#"}}}]});
        for (schema, part) in [
            (json!({"$ref": "#"}), "leads to itself"),
            (expression, "leads to itself"),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}}),
                "itself",
            ),
            (json!({"$ref": "#/$defs/d19", "$defs": nested}), "parts"),
            (json!({"enum": vec![0; KEY_SCHEMA_PARTS]}), "parts"),
            (
                json!({"$defs": {"unused": {"enum": vec![0; KEY_SCHEMA_PARTS]}}}),
                "parts",
            ),
            (
                json!({"$ref": "https://example.com/schema.json"}),
                "a part of this schema",
            ),
            (
                json!({"$ref": "https://json-schema.org/draft/2020-12/schema"}),
                "a part of this schema",
            ),
            (json!({"$ref": "#/nowhere"}), "a part of this schema"),
            (json!({"$ref": "#/%zz"}), "a part of this schema"),
            (json!({"$ref": "#/%ff"}), "a part of this schema"),
            (json!({"$ref": "#/%"}), "a part of this schema"),
            (
                json!({"$ref": "#/$defs/%61", "$defs": {"a": {"$ref": "#/$defs/a"}}}),
                "itself",
            ),
            (
                json!({"$ref": "#anchor", "$defs": {"x": {"$anchor": "anchor"}}}),
                "a part of this schema",
            ),
            (json!({"items": {"$dynamicRef": "#x"}}), "$dynamicRef"),
            (
                json!({"items": {"multipleOf": 9_007_199_254_740_993_i64}}),
                "below 2^53",
            ),
            (
                json!({"items": {"$id": "other", "items": {"$ref": "#"}}}),
                "$id",
            ),
        ] {
            let sentence = count(&schema).expect_err("the test's schemas have no bound");
            assert!(
                sentence.contains(part) && sentence.starts_with("expected "),
                "{schema}: {sentence}"
            );
        }
    }

    #[test]
    fn values_are_counted_up_to_the_bound() {
        assert_eq!(of_value(&json!({"a": [1, 2, {"b": null}]}), 100), 6);
        assert_eq!(of_value(&json!("x".repeat(160)), 100), 11);
        assert_eq!(of_value(&json!(vec![0; 1000]), 100), 100);
    }
}
