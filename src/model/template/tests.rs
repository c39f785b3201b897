use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;

fn builtins() -> Builtins<'static> {
    Builtins {
        process_instance_id: InstanceKey(Uuid::from_u128(1)),
        parent: None,
        root: InstanceKey(Uuid::from_u128(2)),
        process_name: "onboarding",
        business_key: Some("b1"),
        started_by: "ada",
        scheduled_for: None,
        now: Time(0),
    }
}

fn render(text: &str, data: &Value) -> Result<Value, String> {
    Template::compile(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .render(data, &builtins())
}

fn check(text: &str, expected: Value) {
    let data = json!({"n": 5, "s": "x\"y", "o": {"a": [1, {"b": true}]}, "z": null, "processName": "hidden", "now": {"x": 1}});
    assert_eq!(render(text, &data).as_ref(), Ok(&expected), "{text}");
}

fn check_error(text: &str, line: usize, column: usize) {
    let error = Template::compile(text).expect_err(text);
    assert_eq!(
        (error.line, error.column),
        (line, column),
        "{text}: {error}"
    );
}

#[test]
fn exact_placeholders_keep_the_type() {
    check(
        r#"{"n": "${n}", "o": "${o.a[1]}", "z": "${z}", "m": "${missing.path}"}"#,
        json!({"n": 5, "o": {"b": true}, "z": null, "m": null}),
    );
    check(
        r#"{"n": ${n}, "s": [ ${ s } ]}"#,
        json!({"n": 5, "s": ["x\"y"]}),
    );
    check("${o}", json!({"a": [1, {"b": true}]}));
}

#[test]
fn inside_longer_strings_values_are_text() {
    check(
        r#""n=${n}, s=${s}, o=${o}, z=${z}, m=${missing}.""#,
        json!(r#"n=5, s=x"y, o={"a":[1,{"b":true}]}, z=, m=."#),
    );
    check(r#""${n}${n}""#, json!("55"));
    check(r#"" ${n}""#, json!(" 5"));
}

#[test]
fn literals_and_escapes() {
    check(r#""\\${n}""#, json!("${n}"));
    check(r#""\${n}""#, json!("${n}"));
    check(r#""a \\${n} ${n}""#, json!("a ${n} 5"));
    check(r#""\u0024{n}""#, json!(5));
    check(
        r#""cost $5 {n} $ {\" \/ \n \ud83d\ude00 é""#,
        json!("cost $5 {n} $ {\" / \n 😀 é"),
    );
    check(
        r#"{"\\${n}": [1e2, -0.5, true, false, null, {}, []]}"#,
        json!({"${n}": [100.0, -0.5, true, false, null, {}, []]}),
    );
}

#[test]
fn builtins_hide_data_of_their_name() {
    check(r#""${processName}""#, json!("onboarding"));
    check(
        r#""${startedBy} ${processInstanceId}""#,
        json!("ada 00000000-0000-0000-0000-000000000001"),
    );
    check(
        r#"["${parentProcessInstanceId}", "${rootProcessInstanceId}"]"#,
        json!([null, "00000000-0000-0000-0000-000000000002"]),
    );
    check(
        r#"["${now}", "${now.x}"]"#,
        json!(["1970-01-01T00:00:00.000Z", 1]),
    );
}

#[test]
fn errors_name_their_place() {
    check_error("", 1, 1);
    check_error("{\"a\": 1,\n  b: 2}", 2, 3);
    check_error(r#"{"a": "x${a.}"}"#, 1, 9);
    check_error(r#"{"a": "é\n${a b}"}"#, 1, 11);
    check_error(r#"{"a": ${a}"#, 1, 11);
    check_error(r#"{"a": ${a"#, 1, 7);
    check_error(r#"{"a": "${a"}"#, 1, 8);
    check_error(r#"{"${a}": 1}"#, 1, 3);
    check_error(r#"{"a": 1, "a": 2}"#, 1, 10);
    check_error(r#"{"a": 01}"#, 1, 7);
    check_error(r#"{"a": yes}"#, 1, 7);
    check_error(r#""\x""#, 1, 2);
    check_error(r#""\ud800""#, 1, 2);
    check_error(r#""${}""#, 1, 2);
    check_error(r#""open"#, 1, 1);
    check_error("{} {}", 1, 4);
    check_error("[1,]", 1, 4);
    // An expression is no name of a member.
    for expression in [
        "a + b",
        "a+b",
        "f()",
        "a.b()",
        "!a",
        "a == 1",
        "a ? 1 : 2",
        "5-2",
        "6/2",
        "a,b",
        "a&&b",
    ] {
        check_error(&format!("{{\"a\": \"x${{{expression}}}\"}}"), 1, 9);
    }
}

/// A literal is a literal in every language that has `${…}`.
#[test]
fn placeholders_of_literals() {
    check(r#""${'text'}""#, json!("text"));
    check(r#""${\"text\"}""#, json!("text"));
    check(
        r#""${ 'it is' }, ${3} and ${true}${null}""#,
        json!("it is, 3 and true"),
    );
    check(
        r#"{"a": ${3}, "b": "${-1.5}", "c": "${false}", "d": ${null}, "e": "${''}"}"#,
        json!({"a": 3, "b": -1.5, "c": false, "d": null, "e": ""}),
    );
    check(r#""${n}${'-'}${n}""#, json!("5-5"));
    // Other names have odd letters, too.
    let data = json!({"a-b": 1, "x:y": 2, "@id": 3, "ns/k": 4, "3d": 5});
    for (name, value) in data.as_object().expect("an object") {
        assert_eq!(
            render(&format!("\"${{{name}}}\""), &data).as_ref(),
            Ok(value),
            "{name}"
        );
    }
}

#[test]
fn a_template_reports_its_shape_and_paths() {
    for (text, object) in [
        ("{}", true),
        ("${a}", true),
        (r#""${a}""#, true),
        ("[]", false),
        (r#""a""#, false),
        ("1", false),
    ] {
        assert_eq!(
            Template::compile(text).map(|template| template.is_object()),
            Ok(object),
            "{text}"
        );
    }
    let template =
        Template::compile(r#"{"a": "${x.y} ${now}", "b": ${z}, "c": "${q}!"}"#).expect("valid");
    assert_eq!(
        template
            .paths()
            .map(DataPath::to_string)
            .collect::<Vec<_>>(),
        ["x.y", "z", "q"]
    );
    assert_eq!(template.outline(), json!({"a": " ", "b": null, "c": "!"}));
}

#[test]
fn size_and_depth_are_bounded() {
    let long = json!({"s": "x".repeat(MAX_TEMPLATE_BYTES / 2)});
    assert!(render(r#"["${s}"]"#, &long).is_ok());
    assert!(render(r#"["${s}", "${s}"]"#, &long).is_err());
    assert!(render(r#"" ${s} ${s}""#, &long).is_err());
    assert!(Template::compile(&format!("\"{}\"", "x".repeat(MAX_TEMPLATE_BYTES))).is_err());

    let nested = |depth: usize, inner: &str| "[".repeat(depth) + inner + &"]".repeat(depth);
    let data = json!({"deep": serde_json::from_str::<Value>(&nested(60, "")).expect("valid")});
    assert!(render(&nested(4, "${deep}"), &data).is_ok());
    assert!(render(&nested(5, "${deep}"), &data).is_err());
    assert!(Template::compile(&nested(MAX_TEMPLATE_DEPTH, "1")).is_ok());
    assert!(Template::compile(&nested(MAX_TEMPLATE_DEPTH + 1, "1")).is_err());
    assert!(Template::compile(&"[".repeat(MAX_TEMPLATE_BYTES)).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[^$]*", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// JSON text without any `${` left to be taken for a placeholder.
fn literal(value: &Value) -> String {
    value.to_string().replace("${", "\\\\${")
}

proptest! {
    #[test]
    fn json_renders_to_itself(value in any_json()) {
        prop_assert_eq!(render(&literal(&value), &Value::Null), Ok(value));
    }

    #[test]
    fn placeholders_render_to_their_value(value in any_json()) {
        let data = json!({"a": [value]});
        prop_assert_eq!(render("{\"x\": ${a[0]}, \"y\": \"${a[0]}\"}", &data), Ok(json!({"x": data["a"][0], "y": data["a"][0]})));
    }

    #[test]
    fn any_text_compiles_or_is_refused(text in "[\\[\\]{}\",:$\\\\a-c0-9 \nu.-]*") {
        if let Ok(template) = Template::compile(&text) {
            let rendered = template.render(&json!({"a": 1}), &builtins());
            prop_assert!(rendered.is_ok());
        }
    }
}
