//! Violations and their bounds.

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
    let expression =
        json!({"anyOf": [{"type": "number"}, {"properties": {"op": {}, "arg": {"$ref": "#"}}}]});
    for schema in [
        expression,
        json!({"$ref": "https://example.com/x"}),
        json!({"enum": vec![0; 2_000]}),
    ] {
        assert!(KeySchemas::default().add(&schema).is_err(), "{schema}");
    }
}
