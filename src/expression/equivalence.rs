//! Property: for every condition of the fast grammar and all data, the fast path and the sandbox
//! agree, both on the value and on whether there is one. Rules are in `rules`.

mod rules;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::fast;
use super::lexer;
use super::script::Script;

/// Few names, so that paths often meet data.
const NAMES: [&str; 9] = ["a", "b", "client", "x1", "$", "_", "größe", "length", "0"];

/// Texts at the edges of JavaScript's conversions.
const TEXTS: [&str; 36] = [
    "",
    " ",
    "0",
    "-0",
    "1",
    "01",
    "+1",
    "18",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "1e400",
    "0x1F",
    "0X10",
    "0b101",
    "0o17",
    "-0x1",
    "0xfffffffffffffbff",
    "Infinity",
    "-Infinity",
    "infinity",
    "NaN",
    "null",
    "true",
    "undefined",
    "[object Object]",
    "1,2",
    ",",
    "\u{feff}7\u{a0}",
    "\u{85}7",
    "\n8\t",
    "Zoë",
    "\u{1F600}",
    "\u{FFFF}",
    "a\"'\\\n\u{2028}b",
];

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            2.0,
            18.0,
            1.5,
            0.1,
            1e21,
            1e-7,
            123_456_789_012_345_680_000.0,
            9_007_199_254_740_993.0,
            18_446_744_073_709_551_615.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            255.0,
            1000.0,
        ]),
        (-20_i32..20).prop_map(f64::from),
        any::<f64>().prop_filter("JSON numbers are finite", |number| number.is_finite()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&TEXTS[..]).prop_map(str::to_owned),
        1 => number().prop_map(|number| number.to_string()),
        1 => number().prop_map(|number| format!("{number:e}")),
        1 => ".{0,4}",
        1 => "[0-9+.eExX \u{e000}\u{1F600}-]{0,6}",
        1 => "0[xX][0-9a-fA-F]{12,40}",
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => "[+-]?[0-9]{15,45}[n.]?",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        prop::sample::select(vec![
            9_007_199_254_740_991_i64,
            9_007_199_254_740_992,
            9_007_199_254_740_993,
            i64::MIN,
            i64::MAX
        ])
        .prop_map(|number| json!(number)),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            object(inner)
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        12 => prop::sample::select(&NAMES[..]),
        1 => prop::sample::select(vec!["toString", "valueOf", "__proto__", "constructor", "undefined", "input", "Math", "1"]),
    ];
    prop::collection::vec((name, inner), 0..5).prop_map(|members| {
        Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>(),
        )
    })
}

/// The variables that a condition reads.
const ROOTS: [&str; 10] = [
    "a",
    "b",
    "client",
    "x1",
    "$",
    "_",
    "length",
    "input",
    "missing",
    "constructor",
];

fn path(roots: &'static [&'static str]) -> impl Strategy<Value = String> {
    let root = prop::sample::select(roots);
    let member = prop_oneof![
        4 => prop::sample::select(vec![".a", ".b", " . client", ".length", ".missing", ".if", "[0]", "[1]", "[ \
            2 ]", "[4294967294]"]).prop_map(str::to_owned),
        1 => prop::sample::select(&NAMES[..]).prop_map(|name| format!("['{name}']")),
    ];
    (root, prop::collection::vec(member, 0..3))
        .prop_map(|(root, members)| format!("{root}{}", members.concat()))
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "true",
            "false",
            "null",
            "undefined",
            "NaN",
            "Infinity",
            "''",
            "5.",
            ".5",
            "1E2",
            "-0",
            "1e999"
        ])
        .prop_map(str::to_owned),
        number().prop_map(|number| format!("{number}")),
        number().prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| format!("{number}n")),
        (-3_i32..20).prop_map(|number| format!("{number}n")),
        prop::sample::select(vec![
            "9007199254740991n",
            "9007199254740993n",
            "-18446744073709551616n",
            "123456789012345680000n"
        ])
        .prop_map(str::to_owned),
        (text(), prop::sample::select(vec!['\'', '"'])).prop_map(|(text, quote)| {
            let escaped = text
                .replace('\\', "\\\\")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .replace(quote, &format!("\\{quote}"));
            format!("{quote}{escaped}{quote}")
        }),
    ]
}

/// An expression that reads these names.
fn expression(roots: &'static [&'static str]) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![2 => path(roots), 1 => literal()];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let operator = prop::sample::select(vec!["==", "!=", "===", "!==", "<", "<=", ">", ">=", "&&", "||"]);
        let arithmetic = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            4 => (inner.clone(), arithmetic, inner.clone()).prop_map(|(left, operator, right)| format!("{left} \
                {operator} {right}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(condition, first, second)| format!("{condition} \
                ? {first} : {second}")),
            1 => inner.clone().prop_map(|inner| format!("- {inner}")),
            6 => (inner.clone(), operator, inner.clone()).prop_map(|(left, operator, right)| format!("{left} \
                {operator} {right}")),
            1 => inner.clone().prop_map(|inner| format!("!{inner}")),
            2 => inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

/// A whole result, not only a boolean: compares what a condition gives, an answer or an error, on
/// both paths.
fn check(text: &str, data: &Value) -> Result<(), TestCaseError> {
    let Some(tree) = lexer::tokens(text)
        .ok()
        .and_then(|tokens| fast::parse(&tokens))
    else {
        return Ok(());
    };
    let script = || {
        Script::compile(text).map_err(|error| TestCaseError::fail(format!("`{text}`: {error:?}")))
    };
    let fast = match tree.computes() {
        true => Condition::Computed(tree, script()?),
        false => Condition::Fast(tree),
    };
    let (fast, script) = (
        fast.evaluate(data),
        Condition::Script(script()?).evaluate(data),
    );
    let kind = |answer: &Result<bool, crate::model::evaluator::EvaluationError>| match answer {
        Ok(value) => value.to_string(),
        Err(error) if error.0.contains("the condition gave") => error.0.clone(),
        Err(_) => "an error".to_owned(),
    };
    prop_assert_eq!(
        kind(&fast),
        kind(&script),
        "`{}` over {}: fast {:?}, sandbox {:?}",
        text,
        data,
        fast,
        script
    );
    Ok(())
}

/// A byte order mark is white space in JavaScript: it is not part of the name after it.
#[test]
fn a_byte_order_mark_is_not_part_of_a_name() {
    for text in [
        "'\u{feff}a' == a",
        "\u{feff}a == a",
        "a\u{feff} == '\u{feff}b'",
        "'\u{feff}$ä' == $ä",
    ] {
        check(text, &json!({"a": 1})).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        Script::compile(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn fast_path_equals_sandbox(text in expression(&ROOTS), data in object(value())) {
        check(&text, &data)?;
    }

    /// Any text of these tokens: whatever the fast path accepts must be JavaScript.
    #[test]
    fn fast_path_takes_only_javascript(tokens in prop::collection::vec(prop::sample::select(vec![
        "a", "b", "input", "if", "let", "eval", "0", "07", "1", "1.", ".5", "1e", "0x", "'s'", "\"", "\\", ".", "[", "]", "(", ")", "!", "-", "+", "*", "/", "%", "?", ":",
        "==", "===", "=", "<", ">", "&&", "&", "||", " ", "\n", "//", "/*", "<!--", "?.", "??", ",", "{", "}", "n", "\u{a0}", "é",
    ]), 1..9)) {
        check(&tokens.concat(), &json!({"a": {"b": [1, "x"]}, "b": 0}))?;
    }

    #[test]
    fn comparisons_of_any_two_values(left in value(), right in value(), operator in prop::sample::select(
        vec!["==", "!=", "===", "!==", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"])) {
        let (first, second) = (json!({"a": left, "b": right}), json!({"a": right, "b": left}));
        check(&format!("(a {operator} b) === (b {operator} a)"), &first)?;
        check(&format!("a {operator} b > b"), &second)?;
        check(&format!("a {operator} b"), &json!({"a": left, "b": right}))?;
    }

    /// What the engine does with `BigInt`s besides comparing them.
    #[test]
    fn whole_numbers_compute_exactly(left in any::<i64>(), right in prop_oneof![any::<i64>(), -20_i64..20], number in number()) {
        let (wide, other) = (i128::from(left), i128::from(right));
        let mut expected = vec![(wide + other).to_string(), (wide - other).to_string(), (wide * other).to_string(), (-wide).to_string()];
        let mut parts = vec!["a + b", "a - b", "a * b", "-a"];
        if other != 0 {
            expected.extend([(wide / other).to_string(), (wide % other).to_string()]);
            parts.extend(["a / b", "a % b"]);
        }
        expected.push(format!("{:?}", wide as f64 == number));
        expected.push(format!("{:e}", (wide * other) as f64));
        let script = format!(
            "const a = {left}n, b = {right}n, n = input.n; output.x = [{}, a == n].map(part => `${{part}}`); output.rounded = Number(a * b)",
            parts.join(", ")
        );
        let rule = super::rule::Rule::compile(&script).map_err(TestCaseError::fail)?;
        let output = rule.run(&json!({"n": number}), "").map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut found: Vec<String> = output["x"].as_array().into_iter().flatten().filter_map(|part| part.as_str().map(str::to_owned)).collect();
        // Compared exactly, as rounding may make different numbers equal.
        let is_equal = number.fract() == 0.0 && number.abs() < 1e19 && number as i128 == wide;
        expected[parts.len()] = is_equal.to_string();
        found.push(format!("{:e}", output["rounded"].as_f64().unwrap_or(f64::NAN)));
        prop_assert_eq!(found, expected, "{}", script);
    }
}
