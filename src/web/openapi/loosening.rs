//! What generators of clients misread in a document, said in words that all of them read the same way.
//!
//! A JSON object of any content is `{"type": "object"}` for JSON Schema, and an object without members for some generators. A
//! default of a member makes some generators ask for the member. Not here: what a document says (`openapi`, `asyncapi`).

use serde_json::{Map, Value, json};

/// Keywords whose values are data, and no schemas.
const DATA: [&str; 5] = ["example", "examples", "default", "const", "enum"];

/// Lets objects of any content name that, and leaves defaults of optional members to their descriptions.
pub fn loosen(document: &mut Value) {
    match document {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| *kind == "object") {
                loosen_object(object);
            }
            object.iter_mut().filter(|(keyword, _)| !DATA.contains(&keyword.as_str())).for_each(|(_, below)| loosen(below));
        }
        Value::Array(list) => list.iter_mut().for_each(loosen),
        _ => {}
    }
}

fn loosen_object(schema: &mut Map<String, Value>) {
    if !["properties", "additionalProperties", "maxProperties"].iter().any(|keyword| schema.contains_key(*keyword)) {
        schema.insert("additionalProperties".to_owned(), json!(true));
    }
    for (_, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        member.as_object_mut().and_then(|member| member.remove("default"));
    }
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
