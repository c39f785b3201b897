//! The data that keys accept, as one JSON Schema, from which a form can be made.
//!
//! Not here: checking a payload ([`super::keys`]). A payload that matches the schema is accepted by
//! the keys. Keys ignore other members, so the schema only forbids them if the keys are strict.

use serde_json::{Map, Value, json};

use super::{
    action::Key,
    content_hash::content_hash,
    path::{DataPath, Segment},
};

/// The schema of an action's data, with a name that is a hash of its content: equal schemas have
/// the same name, whatever action, version or process they belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSchema {
    /// 16 hexadecimal digits.
    pub name: String,
    /// JSON Schema of an object.
    pub schema: Value,
}

/// The keys at and below one member.
#[derive(Default)]
struct SchemaMember {
    /// The schema of a key that ends here, if one does.
    key: Option<Option<Value>>,
    required: bool,
    members: Vec<(String, SchemaMember)>,
}

impl InputSchema {
    /// The schema of a key list; `None` if nothing is accepted.
    pub fn of(keys: &[Key], strict: bool) -> Option<Self> {
        if keys.is_empty() {
            return None;
        }
        let mut root = SchemaMember::default();
        for key in keys {
            root.add(key);
        }
        let schema = root.object("#", strict);
        Some(Self {
            name: content_hash(&schema),
            schema,
        })
    }
}

impl SchemaMember {
    fn add(&mut self, key: &Key) {
        let Ok(path) = DataPath::parse_members(&key.path) else {
            return;
        };
        let mut at = self;
        for segment in path.segments() {
            let Segment::Member(name) = segment else {
                return;
            };
            at = at.member(name);
            at.required |= key.required;
        }
        at.key = Some(key.schema.clone());
    }

    fn member(&mut self, name: &str) -> &mut Self {
        let known = self.members.iter().position(|(other, _)| other == name);
        let index = known.unwrap_or_else(|| {
            self.members.push((name.to_owned(), Self::default()));
            self.members.len() - 1
        });
        &mut self.members[index].1
    }

    /// The schema of this member, for this place.
    fn schema(mut self, place: &str, strict: bool) -> Value {
        let Some(own) = self.key.take() else {
            return self.object(place, strict);
        };
        let own = own.unwrap_or_else(|| json!({}));
        if self.members.is_empty() {
            return of_key(own, self.required, place);
        }
        // A key that covers all of it, and further keys for parts of it.
        let required = self.required;
        let parts = self.object(&format!("{place}/allOf/1"), false);
        json!({"allOf": [of_key(own, required, &format!("{place}/allOf/0")), parts]})
    }

    fn object(self, place: &str, strict: bool) -> Value {
        let required: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.required)
            .map(|(name, _)| name.clone())
            .collect();
        let member_schema = |(name, member): (String, Self)| {
            let place = format!("{place}/properties/{}", pointer_part(&name));
            (name, member.schema(&place, strict))
        };
        let properties: Map<String, Value> = self.members.into_iter().map(member_schema).collect();
        let mut object = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        if strict {
            object["additionalProperties"] = json!(false);
        }
        object
    }
}

/// A key's schema at its place. A required key refuses `null`, even if its own schema allows it.
fn of_key(mut schema: Value, required: bool, place: &str) -> Value {
    if !required || refuses_null(&schema) {
        move_references(&mut schema, place);
        return schema;
    }
    let not_null = json!({"not": {"type": "null"}});
    match &mut schema {
        Value::Object(members) if !members.contains_key("not") => {
            members.insert("not".to_owned(), not_null["not"].clone());
            move_references(&mut schema, place);
            schema
        }
        Value::Object(_) => {
            move_references(&mut schema, &format!("{place}/allOf/0"));
            json!({"allOf": [schema, not_null]})
        }
        _ => not_null,
    }
}

/// Whether a schema refuses `null` by its type, its constant or altogether.
fn refuses_null(schema: &Value) -> bool {
    let by_type = schema.get("type").is_some_and(|kind| match kind {
        Value::Array(kinds) => !kinds.contains(&json!("null")),
        kind => kind != "null",
    });
    by_type || schema.get("const").is_some_and(|value| !value.is_null()) || *schema == json!(false)
}

/// A key's schema may refer to its own parts (`#/$defs/…`), which have moved to `place`.
fn move_references(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(reference) if name == "$ref" => {
                        if let Some(rest) = reference.strip_prefix('#') {
                            *reference = format!("{place}{rest}");
                        }
                    }
                    _ if matches!(&**name, "const" | "enum" | "default" | "examples") => {}
                    value => move_references(value, place),
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| move_references(item, place)),
        _ => {}
    }
}

/// A member's name as a part of a JSON pointer in a URI fragment.
fn pointer_part(name: &str) -> String {
    let mut part = String::new();
    for byte in name.replace('~', "~0").replace('/', "~1").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~$".contains(&byte) {
            part.push(char::from(byte));
        } else {
            part.push_str(&format!("%{byte:02X}"));
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys are written `path` or `path!` (required), each with its schema.
    fn check(keys: &[(&str, Value)], strict: bool, schema: Value) {
        let keys: Vec<Key> = keys
            .iter()
            .map(|(path, schema)| Key {
                path: path.trim_end_matches('!').to_owned(),
                required: path.ends_with('!'),
                schema: (!schema.is_null()).then(|| schema.clone()),
            })
            .collect();
        let input = InputSchema::of(&keys, strict).expect("there are keys");
        assert_eq!(input.schema, schema);
    }

    #[test]
    fn paths_become_objects() {
        check(
            &[
                ("client.name!", json!({"type": "string", "title": "Name"})),
                ("client.age", json!({"type": "integer", "minimum": 18})),
                ("note", Value::Null),
            ],
            false,
            json!({"type": "object", "required": ["client"], "properties": {
                "client": {"type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string", "title": "Name"},
                    "age": {"type": "integer", "minimum": 18},
                }},
                "note": {},
            }}),
        );
    }

    #[test]
    fn strict_keys_forbid_the_rest() {
        check(
            &[("a.b", json!({"enum": [1, 2]}))],
            true,
            json!({"type": "object", "additionalProperties": false, "properties": {
                "a": {"type": "object", "additionalProperties": false, "properties": {"b": {"enum": [1, 2]}}},
            }}),
        );
    }

    #[test]
    fn required_values_are_not_null() {
        let not_null = json!({"type": "null"});
        check(
            &[
                ("a!", Value::Null),
                ("b!", json!({"title": "B"})),
                (
                    "c!",
                    json!({"type": ["string", "null"], "not": {"const": ""}}),
                ),
                ("d!", json!({"const": 1})),
            ],
            false,
            json!({"type": "object", "required": ["a", "b", "c", "d"], "properties": {
                "a": {"not": not_null},
                "b": {"title": "B", "not": not_null},
                "c": {"allOf": [{"type": ["string", "null"], "not": {"const": ""}}, {"not": not_null}]},
                "d": {"const": 1},
            }}),
        );
    }

    #[test]
    fn a_nested_key_refines_its_parent() {
        check(
            &[
                ("a", json!({"type": "object"})),
                ("a.b!", json!({"type": "string"})),
            ],
            true,
            json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
                "a": {"allOf": [{"type": "object"}, {
                    "type": "object", "required": ["b"], "properties": {"b": {"type": "string"}},
                }]},
            }}),
        );
    }

    #[test]
    fn references_point_to_the_moved_parts() {
        let schema = json!({"$ref": "#/$defs/street", "$defs": {"street": {"type": "string"}}, "default": {"$ref": "#"}});
        let moved = |place: &str| json!({"$ref": format!("{place}/$defs/street"), "$defs": {"street": {"type": "string"}}, "default": {"$ref": "#"}});
        let mut required = moved("#/properties/c");
        required["not"] = json!({"type": "null"});
        check(
            &[
                ("a.b", schema.clone()),
                ("c!", schema.clone()),
                ("d", schema),
                ("d.e", Value::Null),
            ],
            false,
            json!({"type": "object", "required": ["c"], "properties": {
                "a": {"type": "object", "properties": {"b": moved("#/properties/a/properties/b")}},
                "c": required,
                "d": {"allOf": [moved("#/properties/d/allOf/0"), {"type": "object", "properties": {"e": {}}}]},
            }}),
        );
    }

    #[test]
    fn names_are_parts_of_pointers() {
        assert_eq!(pointer_part("b ä/~$x-1"), "b%20%C3%A4~1~0$x-1");
    }

    #[test]
    fn the_same_content_has_the_same_name() {
        let key = |path: &str| Key {
            path: path.into(),
            required: false,
            schema: None,
        };
        let name = |keys: &[Key]| InputSchema::of(keys, false).map(|schema| schema.name);
        assert_eq!(name(&[key("a")]), name(&[key("a")]));
        assert_ne!(name(&[key("a")]), name(&[key("b")]));
        assert_eq!(name(&[]), None);
    }
}
