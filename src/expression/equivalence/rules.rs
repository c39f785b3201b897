//! Property: whatever the fast path gives for a rule, the sandbox gives, too.

use super::*;
use crate::expression::rule::Rule;

/// What a rule reads, mostly: data. Few of them, so that they are often there.
const ROOTS_OF_RULES: [&str; 8] = [
    "input.a",
    "input.b",
    "input.client",
    "input.a",
    "input.b",
    "input",
    "now",
    "x",
];

/// An expression that mostly has a value.
fn usual_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => prop::sample::select(&ROOTS_OF_RULES[..5]).prop_map(str::to_owned),
        1 => (-3_i32..1000).prop_map(|number| number.to_string()),
        1 => prop::sample::select(vec!["'high'", "''", "true", "null", "0.1", "'12'", "now"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "<", ">=", "===", "!=", "&&", "||",
        ]);
        prop_oneof![
            4 => (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(condition, first, second)| format!("{condition} ? {first} : {second}")),
            1 => inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

/// A statement, with more of them below it.
fn statement() -> impl Strategy<Value = String> {
    let value = || prop_oneof![1 => expression(&ROOTS_OF_RULES), 4 => usual_value()];
    let name = || {
        prop_oneof![
            15 => prop::sample::select(vec!["x", "y", "total", "a1", "_b", "$c"]),
            1 => prop::sample::select(vec!["put", "constructor"]),
        ]
    };
    let end = prop_oneof![9 => prop::sample::select(vec![";", "\n", ";\n"]), 1 => Just(" ")];
    let one = prop_oneof![
        4 => (name(), value()).prop_map(|(name, value)| format!("output.{name} = {value}")),
        1 => (name(), value()).prop_map(|(name, value)| format!("output['{name}'] = {value}")),
        2 => (prop::sample::select(vec!["x", "x.y", "x.y.z", "total.a", "x.", "x.length", "constructor.b", "put", "put.x", ""]), value())
            .prop_map(|(way, value)| format!("output.put('{way}', {value})")),
        2 => (prop::sample::select(vec!["const", "let"]), name(), value())
            .prop_map(|(kind, name, value)| format!("{kind} {name} = {value}")),
        1 => (name(), value()).prop_map(|(name, value)| format!("{name} = {value}")),
        1 => (name(), prop::sample::select(vec!["x", "y + 1", "total.a", "now", "x === y", "input", "missing"]))
            .prop_map(|(name, value)| format!("output.{name} = {value}")),
        1 => prop::sample::select(vec!["return", "throw new BpmnError('late')", "throw new BpmnError(\"no\", 'why')", "", "let z"])
            .prop_map(str::to_owned),
    ];
    (one, end)
        .prop_map(|(one, end)| format!("{one}{end}"))
        .prop_recursive(2, 12, 3, move |inner| {
            let block = prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|statements| format!("{{ {} }}", statements.concat()));
            prop_oneof![
                (value(), inner.clone())
                    .prop_map(|(condition, then)| format!("if ({condition}) {then}")),
                (value(), block.clone(), inner).prop_map(|(condition, then, other)| format!(
                    "if ({condition}) {then} else {other}"
                )),
                block,
            ]
        })
}

fn check(script: &str, data: &Value) -> Result<bool, TestCaseError> {
    // Random statements need not be JavaScript; the engine has to accept them first.
    let Ok(rule) = Rule::compile(script) else {
        return Ok(false);
    };
    let Some(fast) = rule.fast_result(data, "now!") else {
        return Ok(false);
    };
    let sandbox = rule.sandbox_result(data, "now!");
    prop_assert_eq!(fast, sandbox, "`{}` over {}", script, data);
    Ok(true)
}

#[test]
fn ordinary_rules_need_no_script_engine() {
    let data = json!({"a": 7, "b": "12.5", "client": {"tags": ["x"], "vip": true}, "none": null});
    for script in [
        "",
        "output.rating = input.a > 1000 ? 'high' : 'low';",
        "const total = input.a * input.b\noutput.total = total // with a comment",
        "output.put('client.risk', input.a % 4); output.put(\"client.name\", 'n' + input.a)",
        "if (input.client.vip && input.a >= 7) { output.x = -input.a; return } else output.y = 1",
        "let x = 1; if (input.none == null) { x = 2 }\noutput.x = x; output.when = now",
        "if (input.a > 100) throw new BpmnError('rich', 'too much')\noutput.all = input",
        "output['a-b'] = input.client.tags; output.n = input.client.tags.length / 2",
    ] {
        assert!(check(script, &data).unwrap(), "{script}");
        assert!(!Rule::compile(script).unwrap().may_take_long());
    }
    for script in [
        "output.x = Math.round(input.a)",
        "for (const tag of input.client.tags) output[tag] = 1",
        "output.x = input.client.tags.map(tag => tag)",
        "output.x = `${input.a}`",
        "let x = 1; { let x = 2; output.x = x }",
        "output.x = x; const x = 1",
        "output.put('put', 1); output.put('x', 2)",
        "return input.a",
    ] {
        assert!(Rule::compile(script).unwrap().may_take_long(), "{script}");
    }
}

#[test]
fn unusual_values_are_left_to_the_sandbox() {
    let data = json!({"id": u64::MAX, "text": "12345678901234567", "list": [1], "o": {"a": 1}});
    for script in [
        "output.x = input.id + 1",
        "output.x = input.text * 1",
        "output.x = input.list + 1",
        "output.x = input.missing.member",
        "output.x = 0 / 0",
        "output.x = undefined + 1",
        "output.o = input.o; output.put('o.b', 1)",
    ] {
        let rule = Rule::compile(script).unwrap();
        assert!(!rule.may_take_long(), "{script}");
        assert_eq!(rule.fast_result(&data, ""), None, "{script}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn fast_rules_equal_the_sandbox(statements in prop::collection::vec(statement(), 1..4), data in object(value())) {
        check(&statements.concat(), &data)?;
    }

    /// Any statements of these tokens: whatever the fast path accepts means the same in JavaScript.
    #[test]
    fn any_tokens_mean_the_same(tokens in prop::collection::vec(prop::sample::select(vec![
        "output.x", "output.y", " = ", " = ", "input.a", "input.b", "1", "'s'", ";", "\n", "let a", "const b", "a", "b", " + ", "-", " / ",
        "(", ")", "{", "}", "if (", " else ", " return ", "?", ":", ",", "now", "/*\n*/", "//", "[", "]", "throw ", "output.put('a.b', ",
    ]), 1..12)) {
        check(&tokens.concat(), &json!({"a": {"b": [1, "x"]}, "b": 2}))?;
    }
}
