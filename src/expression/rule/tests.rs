//! What rules put out, what they may not do, and how numbers pass through them.

use serde_json::json;

use super::*;
use crate::expression::worker;

const NOW: &str = "2026-01-02T03:04:05Z";

fn run(script: &str, data: &Value) -> Result<Value, String> {
    let rule = Rule::compile(script)
        .unwrap_or_else(|sentence| panic!("`{script}` was refused: {sentence}"));
    rule.run(data, NOW).map_err(|error| error.to_string())
}

fn check(script: &str, output: Value) {
    let data = json!({"client": {"age": 36, "tags": ["a", "b"]}, "amount": 1000.5, "none": null});
    assert_eq!(run(script, &data), Ok(output), "{script}");
}

fn check_failure(script: &str, parts: &[&str]) {
    let sentence = run(script, &json!({"client": {"tags": ["b", "a"]}})).expect_err(script);
    assert!(
        sentence.starts_with("expected ") && sentence.contains(", but "),
        "{sentence}"
    );
    for part in parts {
        assert!(
            sentence.contains(part),
            "`{script}`: expected `{part}` in `{sentence}`"
        );
    }
}

#[test]
fn a_rule_outputs_members() {
    check("", json!({}));
    check(
        "output.adult = input.client.age >= 18; output['x'] = null",
        json!({"adult": true, "x": null}),
    );
    check("output.when = now", json!({"when": NOW}));
    check(
        "const total = input.amount * 2\noutput.total = total // and a comment",
        json!({"total": 2001}),
    );
    check(
        "for (const tag of input.client.tags) output[tag] = tag.length",
        json!({"a": 1, "b": 1}),
    );
    check(
        "output.client = input.client",
        json!({"client": {"age": 36, "tags": ["a", "b"]}}),
    );
    check(
        "if (input.client.age > 18) return; output.minor = true",
        json!({}),
    );
    check(
        "function twice(x) { return x * 2 } function twice(x) { return x + x } output.x = \
        twice(2)",
        json!({"x": 4}),
    );
    check(
        "output.x = [...input.client.tags, 'c'].map(tag => ({ tag }))",
        json!({"x": [{"tag": "a"}, {"tag": "b"}, {"tag": "c"}]}),
    );
    check(
        "output.missing = input.missing; output.x = 0.5 + 1e300",
        json!({"x": 1e300}),
    );
    check(
        "output.x = [1, -0, 1e15, -2.5, 2 ** 53]",
        json!({"x": [1, -0.0, 1_000_000_000_000_000_i64, -2.5, 9_007_199_254_740_992_i64]}),
    );
}

#[test]
fn put_writes_paths() {
    check(
        "output.put('a', 1); output.put('b.c', 2); output.put('b.d', { e: 3 })",
        json!({"a": 1, "b": {"c": 2, "d": {"e": 3}}}),
    );
    check(
        "output.b = [1]; output.put('b.c', 2); output.put(7, 1)",
        json!({"7": 1, "b": {"c": 2}}),
    );
    check(
        "output.put('__proto__.x', 1); output.y = ({}).x === undefined",
        json!({"__proto__": {"x": 1}, "y": true}),
    );
    check("output.put = 5", json!({"put": 5}));
    check("for (const name in output) output.seen = name", json!({}));
    check_failure("output.put('a..b', 1)", &["line 1", "dotted path"]);
    check_failure("output.put('a[0]', 1)", &["dotted path"]);
}

#[test]
fn whole_numbers_keep_every_digit() {
    let ids = json!([
        7_615_917_337_495_251_231_i64,
        9_007_199_254_740_993_i64,
        u64::MAX,
        i64::MIN,
        9_007_199_254_740_991_i64
    ]);
    let data = json!({"order": {"id": 7_615_917_337_495_251_231_i64, "__proto__": u64::MAX}, "ids": ids, "price": 0.1});
    let of = |script: &str| run(script, &data);
    assert_eq!(of("output.all = {...input}"), Ok(json!({"all": data})));
    assert_eq!(
        of("output.order = {...input.order, state: 'rated'}")
            .map(|output| output["order"]["id"].clone()),
        Ok(json!(7_615_917_337_495_251_231_i64))
    );
    assert_eq!(
        of("output.x = [...input.ids].sort((a, b) => a < b ? -1 : 1)[4]"),
        Ok(json!({"x": u64::MAX}))
    );
    assert_eq!(
        of("output.x = input.order.id + 1n"),
        Ok(json!({"x": 7_615_917_337_495_251_232_i64}))
    );
    assert_eq!(
        of("output.x = `${input.order.id}`"),
        Ok(json!({"x": "7615917337495251231"}))
    );
    assert_eq!(
        of("output.x = input.order.id == 7615917337495251231n && input.order.id > 5"),
        Ok(json!({"x": true}))
    );
    assert_eq!(
        of("output.x = [5n, -(2n ** 63n), 2n ** 64n - 1n]"),
        Ok(json!({"x": [5, i64::MIN, u64::MAX]}))
    );
    assert_eq!(
        of("output.x = typeof input.ids[4] + typeof input.ids[1]"),
        Ok(json!({"x": "numberbigint"}))
    );
}

#[test]
fn digits_are_lost_only_by_explicit_conversion() {
    let data = json!({"id": 7_615_917_337_495_251_231_i64});
    for (script, part) in [
        ("output.x = input.id + 1", "1n"),
        ("output.x = input.id * 1.5", "Number(x)"),
        ("output.x = Math.max(input.id, 1)", "BigInt"),
        ("output.x = JSON.stringify(input)", "BigInt"),
        ("output.x = 2n ** 64n", "more than 64 bits"),
        ("output.x = -(2n ** 63n) - 1n", "`output.x`"),
        ("output.x = 2n ** 99999n", "more than 64 bits"),
    ] {
        let sentence = run(script, &data).expect_err(script);
        assert!(sentence.contains(part), "{script}: {sentence}");
    }
    assert_eq!(
        run("output.x = Number(input.id)", &data),
        Ok(json!({"x": 7_615_917_337_495_250_944_i64}))
    );
    for (script, part) in [
        (
            "output.x = 1\nconst y = 7615917337495251231",
            "line 2, column 11: 7615917337495251231 is beyond 2^53",
        ),
        ("output.x = 0.1000000000000000055 / 2", "write 0.1"),
        (
            "if (input.a) {} /'/.test('x'); output.x = 7615917337495251231",
            "column 43",
        ),
    ] {
        let sentence = Rule::compile(script).expect_err(script);
        assert!(sentence.contains(part), "{script}: {sentence}");
    }
    for script in [
        "output.x = '7615917337495251231' // 7615917337495251231",
        "output.x = /7615917337495251231/.test('')",
        "if (input.a) {} /7615917337495251231/.test('x')",
    ] {
        assert!(Rule::compile(script).is_ok(), "{script}");
    }
}

#[test]
fn a_zero_keeps_its_sign() {
    for (script, expected) in [
        ("output.x = input.x", "-0.0"),
        ("output.x = 0 * -1", "-0.0"),
        ("output.x = -0 + 0", "0"),
        ("output.x = JSON.parse('[-0]')[0]", "-0.0"),
    ] {
        let output = run(script, &json!({"x": -0.0})).expect(script);
        assert_eq!(output["x"].to_string(), expected, "{script}");
    }
}

#[test]
fn texts_converted_to_numbers_keep_their_digits() {
    let id = 7_615_917_337_495_251_231_i64;
    let data =
        json!({"text": "7615917337495251231", "list": ["7615917337495251231"], "short": "12.50"});
    let of = |script: &str| run(script, &data).map(|output| output["x"].clone());
    for (script, expected) in [
        ("output.x = JSON.parse(input.text)", json!(id)),
        (
            "output.x = JSON.parse('{\"a\": [7615917337495251231, 0.5]}')",
            json!({"a": [id, 0.5]}),
        ),
        (
            "output.x = JSON.parse('{\"a\": [1, 2], \"b\": 3}', (name, value) => name === 'b' ? \
            undefined : typeof value === 'number' ? value + 1 : value)",
            json!({"a": [2, 3]}),
        ),
        (
            "const x = JSON.parse('{\"a\": 1}'); x.b = 2; output.x = x",
            json!({"a": 1, "b": 2}),
        ),
        ("output.x = BigInt(input.text)", json!(id)),
        (
            "output.x = [Number(input.short), +input.short, parseFloat(input.short), \
            parseInt(input.short), Number.parseInt('ff', 16), Number('0x10'), Number(), Number('')]",
            json!([12.5, 12.5, 12.5, 12, 255, 16, 0, 0]),
        ),
        (
            "output.x = [Number(null), Number(true), Number([5]), ['1', '2'].map(Number), \
            parseInt(1e21), Number('9007199254740992'), isNaN(Number('x'.repeat(20)))]",
            json!([0, 1, 5, [1, 2], 1, 9_007_199_254_740_992_i64, true]),
        ),
        (
            "output.x = [Number.MAX_SAFE_INTEGER, (5).constructor === Number, (5) instanceof Number, \
            new Number(5) instanceof Number, Number.isInteger(5), Number.name]",
            json!([9_007_199_254_740_991_i64, true, false, true, true, "Number"]),
        ),
        (
            "output.x = Number(BigInt(input.text))",
            json!(7_615_917_337_495_250_944_i64),
        ),
        (
            "output.x = [input.short * 2, 20 - input.short, -input.short, 100 % input.short, \
            Math.floor(input.short), Math.max(input.short, 5), input.short - 0 + input.short]",
            json!([25, 7.5, -12.5, 0, 12, 12.5, "12.512.50"]),
        ),
        (
            "let x = 10; x -= 2; x--; output.x = [x - 1 - 2, 2 ** 3 ** 2, -x * 2, 7 / 2 % 2]",
            json!([4, 512, -14, 1.5]),
        ),
    ] {
        assert_eq!(of(script), Ok(expected), "{script}");
    }
    for script in [
        "output.x = Number(input.text)",
        "output.x = Number(input.list)",
        "output.x = new Number(input.text)",
        "output.x = +input.text",
        "output.x = 1 + +input.list[0]",
        "output.x = parseInt(input.text)",
        "output.x = Number.parseInt(input.text, 10)",
        "output.x = parseFloat(input.text)",
        "output.x = parseFloat('0.1000000000000000055 km')",
        "output.x = Number('1e400')",
        "output.x = input.list.map(Number)",
        "output.x = (5).constructor(input.text)",
        "output.x = Number('0xfffffffffffffffff')",
        "output.x = input.text * 1",
        "output.x = 1 * input.text",
        "output.x = input.text - 0",
        "output.x = 5 + input.text - 0",
        "output.x = input.text / 1",
        "output.x = input.text % 10",
        "output.x = input.text ** 1",
        "output.x = -input.text",
        "output.x = - -input.list[0]",
        "const { text } = input; output.x = [text].map(one => one - 1)",
        "output.x = Math.floor(input.text)",
        "output.x = Math.max(1, ...input.list)",
        "output.x = '7615917337495251231' * 1",
    ] {
        let sentence = of(script).expect_err(script);
        assert!(
            sentence.contains("would lose digits") && sentence.contains("line 1"),
            "{script}: {sentence}"
        );
    }
    for (json, part) in [
        ("[0.1000000000000000055]", "would lose digits"),
        ("{\"a\": {\"b\": 12345678901234567890123}}", "at `a.b`"),
        ("[1", "its `]` is missing"),
        ("undefined", "line 1 column 1"),
    ] {
        let script = format!("\noutput.x = JSON.parse({})", json!(json));
        let sentence = of(&script).expect_err(json);
        assert!(
            sentence.contains(part) && sentence.contains("line 2"),
            "{json}: {sentence}"
        );
    }
    let long = of("output.x = JSON.parse(`\"${'x'.repeat(2e6)}\"`)");
    assert!(long.is_err_and(|sentence| sentence.contains("1048576 bytes")));
}

#[test]
fn whole_numbers_are_ordered_exactly() {
    let data =
        json!({"low": i64::MIN, "id": -9_007_199_254_740_993_i64, "max": u64::MAX, "half": -0.5});
    for condition in [
        "input.id < input.half",
        "!(input.id > -1e9) && input.id <= -3000000000 && -3000000000 >= input.id",
        "input.low < input.id && input.low < -9.2e18 && input.low > -1e19",
        "-100.5 < -5n && !(-5n < -100.5) && -1.8e-266 > -18446744073709551616n",
        "input.max > 0.5 && input.max < Infinity && !(input.max < NaN) && input.max >= 1.8e19",
        "[input.id] < [input.half] === ('-9007199254740993' < '-0.5')",
        "({valueOf: () => input.id}) < -0.5",
        "!(-1n < null) === false && !(undefined > -5n) && '-6' < -5n",
        "[3, input.id, -0.5].sort((a, b) => a < b ? -1 : a > b ? 1 : 0)[0] === input.id",
    ] {
        let script = format!("output.x = {condition}");
        assert_eq!(run(&script, &data), Ok(json!({"x": true})), "{condition}");
    }
    // Places refer to the script as written.
    let script = "const a = +'5' < input.id; output.x = input.missing.y";
    let sentence = run(script, &data).expect_err("no input.missing.y");
    assert!(sentence.contains("line 1, column 39"), "{sentence}");
    let unknown = "const a = input.id < {}.x";
    assert!(run(unknown, &data).is_err_and(|sentence| sentence.contains("not plain enough")));
    assert_eq!(run(unknown, &json!({"id": -7})), Ok(json!({})));
}

#[test]
fn the_input_is_read_only_and_names_are_declared() {
    for script in [
        "input.x = 1",
        "input.client.age = 1",
        "input.client.tags.push('b')",
        "input.client.tags[0] = 'b'",
        "input.client.tags.sort()",
        "delete input.client",
        "Object.defineProperty(input.client, 'age', { value: 1 })",
        "Object.setPrototypeOf(input, null)",
        "input.__proto__ = {}",
        "output = { x: 1 }",
        "input = {}",
        "now = ''",
        "risk = 3",
        "output.x = client",
        "output.c = input.client; output.put('c.age', 1)",
        "output.x = new Date()",
    ] {
        check_failure(script, &["at line 1"]);
    }
}

#[test]
fn failures_report_position_and_cause() {
    check_failure(
        "output.a = 1\noutput.b = input.missing.member",
        &["line 2, column 12", "undefined"],
    );
    check_failure(
        "\n\nthrow new Error('no rate for this country')",
        &["line 3", "no rate for this country"],
    );
    check_failure("throw 'no rate'", &["no rate"]);
    check_failure("function f() {\n  null.x\n}\nf()", &["line 2"]);
    check_failure("return { a: 1 }", &["returned a value"]);
    check_failure("let i = 0\nfor (;;) i++", &["100 ms"]);
    check_failure("output.x = 'x'.repeat(1e8)", &["16MiB"]);
}

#[test]
fn refused_scripts_are_reported_with_their_position() {
    for (script, part) in [
        ("output.a = ", "line 1, column 12: something is missing"),
        ("output.a = 1\noutput.b = = 2", "line 2, column 12"),
        ("if (input.a) {", "line 1"),
        ("await 1", "line 1"),
        ("with (input) {}", "line 1"),
        ("}, function () {", "line 1"),
        ("}(1), function () {", "line 1"),
        ("}['x'] = function () {", "line 1"),
        ("} + function () {", "line 1"),
        ("}, rule() {", "line 1"),
        ("} rule() {", "line 1"),
        ("`", "line 1"),
        ("/*", "line 1"),
    ] {
        let sentence = Rule::compile(script)
            .err()
            .unwrap_or_else(|| panic!("`{script}` compiles"));
        assert!(
            sentence.starts_with("expected ") && sentence.contains(part),
            "`{script}`: {sentence}"
        );
    }
    assert!(Rule::compile(&" ".repeat(RULE_BYTES + 1)).is_err());
}

#[test]
fn a_rule_is_deterministic() {
    let script = "output.x = [typeof Date, typeof Math.random, typeof globalThis, typeof \
        eval]; Object.prototype.y = 1";
    let first = run(script, &json!({}));
    assert_eq!(
        first,
        Ok(json!({"x": ["undefined", "undefined", "undefined", "undefined"]}))
    );
    assert_eq!(
        run("output.x = ({}).y === undefined", &json!({})),
        Ok(json!({"x": true}))
    );
}

#[test]
fn a_long_rule_over_much_data_has_the_limits_of_the_sandbox() {
    // Where there is no program, scripts fail.
    worker::give_this_thread("/nowhere/stepwire".into());
    worker::begin_step(worker::Scripting::Runs);
    let rule = Rule::compile(&"output.a = input.list == 'x'\n".repeat(1_000)).unwrap();
    assert!(!rule.may_take_long());
    assert_eq!(rule.run(&json!({"list": [1]}), ""), Ok(json!({"a": false})));
    let much = rule.run(&json!({"list": vec![1; 1_000]}), "");
    assert!(much.unwrap_err().to_string().contains("try again"));
}
