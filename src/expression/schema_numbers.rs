//! JSON Schema compares numbers exactly: with every digit, whatever their notation.

use serde_json::Value;

use super::key_schemas::KeySchemas;

#[track_caller]
fn check(schema: &str, value: &str, valid: bool) {
    let (schema, value): (Value, Value) = (
        serde_json::from_str(schema).expect(schema),
        serde_json::from_str(value).expect(value),
    );
    let mut schemas = KeySchemas::default();
    schemas
        .add(&schema)
        .unwrap_or_else(|sentence| panic!("{schema}: {sentence}"));
    assert_eq!(
        schemas.check(&schema, &value).is_ok(),
        valid,
        "{schema} over {value}"
    );
}

#[test]
fn bounds_are_exact() {
    check(
        r#"{"maximum": 9007199254740992}"#,
        "9007199254740993",
        false,
    );
    check(
        r#"{"maximum": 9007199254740992.0}"#,
        "9007199254740993",
        false,
    );
    check(r#"{"maximum": 9007199254740993}"#, "9007199254740993", true);
    check(
        r#"{"exclusiveMaximum": 9007199254740993}"#,
        "9007199254740992",
        true,
    );
    check(
        r#"{"exclusiveMaximum": 9007199254740993}"#,
        "9007199254740993",
        false,
    );
    check(
        r#"{"minimum": 18446744073709551615}"#,
        "18446744073709551614",
        false,
    );
    check(
        r#"{"minimum": -9223372036854775807}"#,
        "-9223372036854775808",
        false,
    );
    check(
        r#"{"exclusiveMinimum": 7615917337495251230}"#,
        "7615917337495251231",
        true,
    );
    check(r#"{"maximum": 0.3}"#, "0.30000000000000004", false);
    check(r#"{"minimum": 1.5}"#, "9007199254740993", true);
    check(r#"{"maximum": 1e19}"#, "18446744073709551615", false);
}

#[test]
fn equality_is_exact() {
    check(r#"{"const": 9007199254740993}"#, "9007199254740992", false);
    check(r#"{"const": 9007199254740993}"#, "9007199254740993", true);
    check(
        r#"{"const": 9007199254740992.0}"#,
        "9007199254740993",
        false,
    );
    check(r#"{"const": 9007199254740992.0}"#, "9007199254740992", true);
    check(r#"{"const": 1}"#, "1.0", true);
    check(r#"{"const": 0.1}"#, "0.10", true);
    check(
        r#"{"const": {"a": [9007199254740993]}}"#,
        r#"{"a": [9007199254740992]}"#,
        false,
    );
    check(
        r#"{"enum": [9007199254740993, "x"]}"#,
        "9007199254740992",
        false,
    );
    check(
        r#"{"enum": [18446744073709551615]}"#,
        "18446744073709551615",
        true,
    );
    check(
        r#"{"enum": [18446744073709551615]}"#,
        "18446744073709551614",
        false,
    );
    check(
        r#"{"uniqueItems": true}"#,
        "[9007199254740993, 9007199254740992]",
        true,
    );
    check(
        r#"{"uniqueItems": true}"#,
        "[9007199254740993, 9007199254740993]",
        false,
    );
    check(r#"{"uniqueItems": true}"#, "[1, 1.0]", false);
    check(r#"{"type": "integer"}"#, "18446744073709551615", true);
    check(r#"{"type": "integer"}"#, "1.0", true);
    check(r#"{"type": "integer"}"#, "1.5", false);
}

#[test]
fn multiples_are_exact() {
    check(r#"{"multipleOf": 2}"#, "9007199254740993", false);
    check(r#"{"multipleOf": 2}"#, "9007199254740994", true);
    check(r#"{"multipleOf": 7}"#, "18446744073709551615", false);
    check(r#"{"multipleOf": 3}"#, "18446744073709551615", true);
    check(r#"{"multipleOf": 0.5}"#, "9007199254740993", true);
    check(r#"{"multipleOf": 2.0}"#, "9007199254740993", false);
    for (price, valid) in [
        ("19.99", true),
        ("4.35", true),
        ("0.07", true),
        ("1.1", true),
        ("19.999", false),
        ("123456789012.34", true),
        ("7", true),
    ] {
        check(r#"{"multipleOf": 0.01}"#, price, valid);
    }
    check(r#"{"multipleOf": 0.1}"#, "0.3", true);
    check(r#"{"multipleOf": 0.01}"#, "0.30000000000000004", false);
    check(r#"{"multipleOf": 1e-8}"#, "12391239123", true);
}
