//! The type of the values that a JSON Schema accepts, as far as types can express it: kinds,
//! members, items, alternatives and constants. The server checks ranges and patterns.

use serde_json::{Map, Value};

use super::types::{Type, TypeMember};

/// References and alternatives are followed to this depth; below it, and in a circle, a type is
/// `Json`.
const DEPTH: usize = 16;

/// The type of the values that satisfy a schema.
pub(super) fn meaning(schema: &Value) -> Type {
    SchemaReader { root: schema }.read(schema, 0)
}

struct SchemaReader<'a> {
    root: &'a Value,
}

impl SchemaReader<'_> {
    fn read(&self, schema: &Value, depth: usize) -> Type {
        let members = match schema {
            Value::Bool(false) => return Type::named("never"),
            Value::Object(members) if depth < DEPTH => members,
            _ => return Type::json(),
        };
        if let Some(constant) = members.get("const") {
            return Type::literal(constant.clone());
        }
        if let Some(Value::Array(choices)) = members.get("enum") {
            return Type::any(choices.iter().cloned().map(Type::literal).collect());
        }
        let mut types = Vec::new();
        types.extend(
            members
                .get("$ref")
                .and_then(Value::as_str)
                .map(|reference| self.follow(reference, depth)),
        );
        types.extend(self.of_kinds(members, depth));
        for name in ["oneOf", "anyOf"] {
            types.extend(self.list(members, name, depth).map(Type::any));
        }
        types.extend(self.list(members, "allOf", depth).map(Type::all));
        // A type that accepts everything narrows nothing.
        types.retain(|narrower| *narrower != Type::json());
        if types.is_empty() {
            Type::json()
        } else {
            Type::all(types)
        }
    }

    fn list(&self, members: &Map<String, Value>, name: &str, depth: usize) -> Option<Vec<Type>> {
        let schemas = members
            .get(name)?
            .as_array()
            .filter(|schemas| !schemas.is_empty())?;
        Some(
            schemas
                .iter()
                .map(|schema| self.read(schema, depth + 1))
                .collect(),
        )
    }

    /// References within the schema are followed; other documents are not.
    fn follow(&self, reference: &str, depth: usize) -> Type {
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer));
        target.map_or_else(Type::json, |schema| self.read(schema, depth + 1))
    }

    fn of_kinds(&self, members: &Map<String, Value>, depth: usize) -> Option<Type> {
        match members.get("type") {
            Some(Value::String(kind)) => Some(self.of_kind(kind, members, depth)),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                Some(Type::any(
                    kinds
                        .map(|kind| self.of_kind(kind, members, depth))
                        .collect(),
                ))
            }
            _ => None,
        }
    }

    fn of_kind(&self, kind: &str, members: &Map<String, Value>, depth: usize) -> Type {
        match kind {
            "string" | "boolean" | "null" => Type::named(kind),
            "number" | "integer" => Type::named("number"),
            "array" => {
                let item = members
                    .get("items")
                    .filter(|_| !members.contains_key("prefixItems"));
                Type::List(Box::new(
                    item.map_or_else(Type::json, |item| self.read(item, depth + 1)),
                ))
            }
            "object" => self.of_object(members, depth),
            _ => Type::json(),
        }
    }

    fn of_object(&self, members: &Map<String, Value>, depth: usize) -> Type {
        let others = members.get("additionalProperties");
        let named = members
            .get("properties")
            .and_then(Value::as_object)
            .filter(|named| !named.is_empty());
        let Some(named) = named else {
            return match others {
                Some(Value::Bool(false)) => Type::Object(Vec::new()),
                Some(schema) => Type::Map(Box::new(self.read(schema, depth + 1))),
                None => Type::any_object(),
            };
        };
        let required = members
            .get("required")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let member = |(name, schema): (&String, &Value)| TypeMember {
            name: name.clone(),
            required: required.iter().any(|required| required == name),
            meaning: self.read(schema, depth + 1),
        };
        let closed = Type::Object(named.iter().map(member).collect());
        match others {
            None | Some(Value::Bool(false)) => closed,
            // Of whatever type they are: members of other types are beside them.
            Some(_) => {
                Type::Intersection(vec![closed, Type::Map(Box::new(Type::named("unknown")))])
            }
        }
    }
}
