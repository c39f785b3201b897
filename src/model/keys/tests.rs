use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{
    deep_merge::deep_merge,
    evaluator::{EvaluationError, RuleError},
    field_error::FieldError,
    variables::Variables,
};

/// Accepts every schema but `false`.
struct Schemas;

impl Evaluator for Schemas {
    fn condition(&self, _: &str, _: &Variables<'_>) -> Result<bool, EvaluationError> {
        Ok(true)
    }
    fn rule(&self, _: &str, _: &str, _: &Variables<'_>, _: &str) -> Result<Value, RuleError> {
        Ok(json!({}))
    }
    fn check_schema(&self, schema: &Value, _: &Value) -> Result<(), Vec<(String, FieldError)>> {
        let no = || FieldError::new("falseSchema", "no");
        if *schema == json!(false) {
            Err(vec![("street".into(), no()), ("[0]".into(), no())])
        } else {
            Ok(())
        }
    }
    fn may_take_long(&self, _: &Value, _: usize) -> bool {
        false
    }
}

/// Keys are written `path`, `path!` (required) or `path?` (refused by its schema).
fn keys(paths: &[&str], strict: bool) -> Keys {
    let key = |text: &&str| Key {
        path: text.trim_end_matches(['!', '?']).to_owned(),
        required: text.ends_with('!'),
        schema: text.ends_with('?').then_some(Value::Bool(false)),
    };
    Keys::compile(&paths.iter().map(key).collect::<Vec<_>>(), strict)
        .expect("the test's keys are valid")
}

fn check(paths: &[&str], payload: Value, data: Value, ignored: &[&str]) {
    let accepted = keys(paths, false)
        .accept(&payload, &Schemas)
        .expect("the payload is accepted");
    assert_eq!(accepted.data, data, "{paths:?} {payload}");
    assert_eq!(accepted.ignored, ignored, "{paths:?} {payload}");
}

fn check_refused(paths: &[&str], strict: bool, payload: Value, fields: &[&str]) {
    let violations = keys(paths, strict)
        .accept(&payload, &Schemas)
        .expect_err("the payload is refused");
    assert_eq!(
        violations.keys().collect::<Vec<_>>(),
        fields,
        "{paths:?} {payload}"
    );
}

#[test]
fn keys_match_whole_path_segments() {
    check(
        &["client"],
        json!({"client": {"a": 1}, "clientele": 2}),
        json!({"client": {"a": 1}}),
        &["clientele"],
    );
    check(
        &["client.email", "client.address"],
        json!({"client": {"email": "a@b", "age": 3, "address": {"city": "x"}}, "x": {"y": 1}}),
        json!({"client": {"email": "a@b", "address": {"city": "x"}}}),
        &["client.age", "x"],
    );
    check(
        &["a", "a.b"],
        json!({"a": {"b": 1, "c": 2}}),
        json!({"a": {"b": 1, "c": 2}}),
        &[],
    );
    check(&["a.b"], json!({"a.b": 1}), json!({}), &["[\"a.b\"]"]);
}

#[test]
fn no_keys_accept_nothing() {
    check(&[], json!({"a": 1}), json!({}), &["a"]);
    check(&[], Value::Null, json!({}), &[]);
    assert!(Keys::default().is_empty());
}

#[test]
fn arrays_are_accepted_whole_and_keys_do_not_enter_them() {
    check(
        &["a"],
        json!({"a": [{"b": 1}]}),
        json!({"a": [{"b": 1}]}),
        &[],
    );
    check(&["a.b"], json!({"a": [{"b": 1}]}), json!({}), &["a"]);
    check(&["a.b"], json!({"a": 1}), json!({}), &["a"]);
    check(&["a.b"], json!({"a": null}), json!({}), &["a"]);
    check(&["a.b"], json!({"a": {}}), json!({}), &[]);
}

#[test]
fn null_is_a_value_but_not_for_required_keys() {
    check(&["a"], json!({"a": null}), json!({"a": null}), &[]);
    check_refused(
        &["a!", "b!", "c.d!"],
        false,
        json!({"a": null, "c": 1}),
        &["a", "b", "c.d"],
    );
    check_refused(&["a!"], false, Value::Null, &["a"]);
}

#[test]
fn violations_name_their_paths() {
    check_refused(&["a?"], false, json!({"a": 1}), &["a.street", "a[0]"]);
    check_refused(&["a"], true, json!({"a": 1, "b": {"c": 1}}), &["b"]);
    check_refused(&["a"], false, json!([1]), &[""]);
}

#[test]
fn refuses_keys_that_pick_items() {
    let key = Key {
        path: "a[0]".into(),
        required: false,
        schema: None,
    };
    assert!(Keys::compile(&[key], false).is_err());
}

fn any_payload() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9i64).prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-c]", value, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    /// What is accepted and what is ignored make up the payload; objects emptied on the way may be
    /// missing.
    #[test]
    fn accepted_and_ignored_paths_partition_the_payload(payload in any_payload(), paths in prop::collection::vec("[a-c](\\.[a-c]){0,2}", 0..4)) {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let Accepted { data, ignored } = keys(&paths, false).accept(&payload, &Schemas).expect("nothing \
            is required");
        let mut rest = payload.clone();
        for path in &ignored {
            DataPath::parse(path).expect("ignored paths are paths").remove(&mut rest);
        }
        let mut both = rest.clone();
        deep_merge(&mut both, &data);
        prop_assert_eq!(&both, &rest, "accepted data lies outside what was not ignored");
        for path in &paths {
            let path = DataPath::parse(path).expect("the generated path is valid");
            prop_assert_eq!(path.get(&data), path.get(&payload));
        }
        if paths.is_empty() {
            prop_assert_eq!(data, json!({}));
        }
    }
}
