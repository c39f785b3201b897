//! Rewrites parts of a document that generators of clients misread into forms that all of them read
//! the same way.
//!
//! A JSON object with any content is `{"type": "object"}` in JSON Schema, but an object without
//! members for some generators. A default of a member makes some generators require the member. The
//! body of a request is closed, because other members are refused. Not here: the content of a
//! document (`openapi`, `asyncapi`).

use serde_json::{Map, Value, json};

/// Keywords whose values are data, not schemas.
const DATA: [&str; 5] = ["example", "examples", "default", "const", "enum"];

/// Marks objects with any content as such, and moves defaults of optional members to their
/// descriptions.
pub fn loosen(document: &mut Value) {
    match document {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| *kind == "object") {
                loosen_object(object);
            }
            object
                .iter_mut()
                .filter(|(keyword, _)| !DATA.contains(&keyword.as_str()))
                .for_each(|(_, below)| loosen(below));
        }
        Value::Array(list) => list.iter_mut().for_each(loosen),
        _ => {}
    }
}

fn loosen_object(schema: &mut Map<String, Value>) {
    if !["properties", "additionalProperties", "maxProperties"]
        .iter()
        .any(|keyword| schema.contains_key(*keyword))
    {
        schema.insert("additionalProperties".to_owned(), json!(true));
    }
    for (_, member) in schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        member
            .as_object_mut()
            .and_then(|member| member.remove("default"));
    }
}

/// Closes bodies of requests below this path: they have no other members.
pub fn close_bodies(document: &mut Value, under: &str) {
    const SCHEMA: &str = "/requestBody/content/application~1json/schema/$ref";
    let items = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(path, _)| path.starts_with(under));
    let operations = items.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let places = operations
        .filter_map(|(_, operation)| operation.pointer(SCHEMA)?.as_str()?.strip_prefix('#'));
    let places: Vec<String> = places.map(str::to_owned).collect();
    for place in places {
        if let Some(schema) = document.pointer_mut(&place).and_then(Value::as_object_mut) {
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
    }
}

#[test]
fn bodies_are_closed_where_others_are_refused() {
    let body = |name: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}})
    };
    let mut document = json!({
        "paths": {"/v1/a": body("A"), "/api/v1/b": body("B")},
        "components": {"schemas": {"A": {"type": "object"}, "B": {"type": "object"}}},
    });
    close_bodies(&mut document, "/v1/");
    let expected =
        json!({"A": {"type": "object", "additionalProperties": false}, "B": {"type": "object"}});
    assert_eq!(document["components"]["schemas"], expected);
}

#[test]
fn objects_of_any_content_say_so() {
    let mut document = json!({
        "any": {"type": "object"},
        "closed": {"type": "object", "properties": {"type": {"type": "string", "default": "object"}, "deep": {"type": "object"}}},
        "example": {"type": "object"},
    });
    loosen(&mut document);
    let expected = json!({
        "any": {"type": "object", "additionalProperties": true},
        "closed": {"type": "object", "properties": {
            "type": {"type": "string"}, "deep": {"type": "object", "additionalProperties": true},
        }},
        "example": {"type": "object"},
    });
    assert_eq!(document, expected);
}
