//! Validates JSON against the schemas of a document, strictly: a member that no schema names is an
//! error, too.

use jsonschema::Validator;
use serde_json::{Value, json};

/// Where a document refers to a schema.
const SCHEMAS: &str = "#/components/schemas/";
/// The place of schemas that are parts of others.
const PARTS: &str = "#/components/parts/";

/// The schemas of a document, to check against.
pub struct Shapes {
    components: Value,
}

impl Shapes {
    /// Those under `components/schemas`.
    pub fn of(document: &Value) -> Self {
        let all = |is_part| {
            let mut schemas = document["components"]["schemas"].clone();
            let by_name = schemas.as_object_mut().expect("schemas by name");
            by_name
                .values_mut()
                .for_each(|schema| close(schema, is_part));
            schemas
        };
        Self {
            components: json!({"schemas": all(false), "parts": all(true)}),
        }
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut schema = schema.clone();
        close(&mut schema, false);
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.components,
        });
        jsonschema::options()
            .should_validate_formats(true)
            .build(&whole)
            .expect("a schema of the document is one")
    }

    /// The mistakes in a value that should have this shape.
    pub fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        let documented =
            |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        self.validator(schema)
            .iter_errors(value)
            .map(documented)
            .collect()
    }

    /// Asserts that a value has this shape.
    #[track_caller]
    pub fn check(&self, what: &str, schema: &Value, value: &Value) {
        let wrong = self.errors(schema, value);
        assert!(
            wrong.is_empty(),
            "{what} has another shape than the document tells:\n  {}\n{value:#}",
            wrong.join("\n  ")
        );
    }
}

/// Lets an object have no members but those that are named. What is a part of another is closed
/// there.
fn close(schema: &mut Value, is_part: bool) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::String(place)) = object.get_mut("$ref")
        && is_part
    {
        *place = place.replace(SCHEMAS, PARTS);
    }
    let names_members = object.contains_key("properties") || object.contains_key("allOf");
    if names_members && !is_part && !object.contains_key("additionalProperties") {
        object.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    for (keyword, below) in object.iter_mut() {
        let of_list = |below: &mut Value, is_part| {
            below
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|schema| close(schema, is_part));
        };
        match keyword.as_str() {
            "properties" => below
                .as_object_mut()
                .into_iter()
                .flatten()
                .for_each(|(_, schema)| close(schema, false)),
            "items" | "additionalProperties" => close(below, false),
            "allOf" => of_list(below, true),
            "anyOf" | "oneOf" => of_list(below, is_part),
            _ => {}
        }
    }
}

#[test]
fn undeclared_members_are_rejected_at_every_depth() {
    let document = json!({"components": {"schemas": {
        "Part": {"type": "object", "properties": {"a": {"type": "integer"}, "deep": {"$ref": "#/components/schemas/Deep"}}},
        "Deep": {"type": "object", "properties": {"b": {}}},
        "Whole": {"allOf": [{"$ref": "#/components/schemas/Part"}, {"type": "object", "properties": {"c": {}}}]},
    }}});
    let (shapes, whole) = (
        Shapes::of(&document),
        json!({"$ref": "#/components/schemas/Whole"}),
    );
    shapes.check("it", &whole, &json!({"a": 1, "c": 2, "deep": {"b": 1}}));
    for wrong in [
        json!({"a": "x"}),
        json!({"d": 1}),
        json!({"deep": {"x": 1}}),
    ] {
        assert!(!shapes.errors(&whole, &wrong).is_empty(), "{wrong}");
    }
}
