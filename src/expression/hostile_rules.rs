//! Business rules that try to hang, exhaust, abort or deceive must end in plain output or an error.

use serde_json::{Value, json};

use super::rule::Rule;
use crate::{limits::Limit, model::evaluator::RuleError};

fn run(script: &str) -> Result<Value, String> {
    let rule = Rule::compile(script)
        .unwrap_or_else(|sentence| panic!("`{script:.80}` was refused: {sentence}"));
    rule.run(
        &json!({"client": {"age": 36, "tags": ["a"]}}),
        "2026-01-02T03:04:05Z",
    )
    .map_err(|error| error.to_string())
}

fn check_failure(script: &str) {
    let answer = run(script);
    assert!(
        answer
            .as_ref()
            .is_err_and(|sentence| sentence.len() < 3_000),
        "expected `{script:.80}` to fail, but: {answer:?}"
    );
}

fn check(script: &str, expected: &Value) {
    assert_eq!(run(script).as_ref(), Ok(expected), "{script}");
}

#[test]
fn scripts_over_the_limits_fail() {
    for script in [
        "for (;;);",
        "try { for (;;); } catch {} for (;;);",
        "try { for (;;); } finally { for (;;); }",
        "(function f() { f() })()",
        "const a = []; for (;;) a.push(a.slice())",
        "let s = 'a'; for (;;) s += s",
        "output.x = 'x'.repeat(1e9)",
        "output.x = 'x'.repeat(1e6)",
        "output['x'.repeat(1e6)] = 1",
        "for (let i = 0; i < 1e5; i++) output['k' + i] = i",
        "output.x = new Array(1e5).fill(0).map((_, i) => i)",
        "output.x = new Array(4294967295)",
        "output.x = []; output.x.length = 4294967295",
        "let x = {}; output.x = x; for (let i = 0; i < 100; i++) x = x.x = {}",
        "let x = []; output.x = x; for (let i = 0; i < 2e5; i++) { const y = []; x.push(y); x = \
        y }",
        "output.x = output",
        "output.x = [output]",
        "throw new Error('x'.repeat(1e6))",
        "throw 'x'.repeat(1e6)",
        "throw { get message() { for (;;); } }",
        "const e = new Error('a'); Object.defineProperty(e, 'message', { get() { for (;;); } }); \
        throw e",
        "async function f() { for (;;); } f()",
        "/(a+)+b/.test('a'.repeat(40))",
        "Object.freeze(output); output.x = 1",
    ] {
        check_failure(script);
    }
}

#[test]
fn getters_are_run_within_the_limits() {
    check(
        "Object.defineProperty(output, 'x', { enumerable: true, get: () => 7 })",
        &json!({"x": 7}),
    );
    check(
        "output.x = { get y() { return [1] } }",
        &json!({"x": {"y": [1]}}),
    );
    check(
        "output.a = { get b() { delete output.c; return 1 } }; output.c = 2",
        &json!({"a": {"b": 1}}),
    );
    for script in [
        "output.x = { get y() { for (;;); } }",
        "output.x = { get y() { throw new Error('no') } }",
        "const deep = { get x() { return Object.create(Object.getPrototypeOf({}), \
        Object.getOwnPropertyDescriptors(deep)) } }; output.x = deep",
        "const a = []; Object.defineProperty(a, 0, { get() { for (;;); } }); output.x = a",
        "const wide = { get x() { const a = []; for (let i = 0; i < 500; i++) a.push(wide); \
        return a } }; output.x = wide",
        "Object.defineProperty(Array.prototype, 0, { get() { return [] } }); output.x = new \
        Array(4294967295)",
    ] {
        check_failure(script);
    }
}

#[test]
fn output_that_is_not_json_is_reported_with_its_path() {
    for (value, path) in [
        ("undefined_in: [undefined]", "output.undefined_in[0]"),
        ("hole: [1,,2]", "output.hole[1]"),
        ("nan: { x: [0 / 0] }", "output.nan.x[0]"),
        ("infinite: 1 / 0", "output.infinite"),
        ("big: 2n ** 64n", "output.big"),
        ("f: () => 1", "output.f"),
        ("c: class {}", "output.c"),
        ("o: new (class { x = 1 })()", "output.o"),
        ("m: new Map([[1, 2]])", "output.m"),
        ("s: new Set()", "output.s"),
        ("r: /x/", "output.r"),
        ("e: new Error('x')", "output.e"),
        ("p: (async () => 1)()", "output.p"),
        ("y: Symbol.iterator", "output.y"),
        ("n: new Number(1)", "output.n"),
        ("t: '\\ud800'", "output.t"),
    ] {
        let sentence = run(&format!("Object.assign(output, {{ {value} }})")).expect_err(value);
        assert!(
            sentence.contains(&format!("`{path}` is ")),
            "{value}: {sentence}"
        );
    }
    check_failure("output['\\ud800'] = 1");
}

#[test]
fn hostile_scripts_change_nothing_outside_their_run() {
    let one = json!({"x": 1});
    check(
        "output.x = 1; output.toJSON = undefined; Object.prototype.toJSON = () => 'lie'",
        &one,
    );
    check(
        "JSON.stringify = () => 'lie'; Object.keys = () => []; output.x = 1",
        &one,
    );
    check("Object.prototype.polluted = 1; output.x = 1", &one);
    check("output[Symbol.toPrimitive] = () => 2; output.x = 1", &one);
    check(
        "Object.defineProperty(output, 'hidden', { value: 2 }); output.x = 1",
        &one,
    );
    check(
        "Object.setPrototypeOf(output, Map.prototype); output.x = 1",
        &one,
    );
    check(
        "Object.setPrototypeOf(output, { inherited: 1 }); output.x = 1",
        &one,
    );
    check("output.__proto__ = { inherited: 1 }; output.x = 1", &one);
    check(
        "output.x = Object.assign(Object.create(null), { y: 1 })",
        &json!({"x": {"y": 1}}),
    );
    check(
        "Object.freeze = x => x; try { input.client.age = 1 } catch {} output.x = input.client.age",
        &json!({"x": 36}),
    );
    check("const input = { own: 1 }; output.x = input.own", &one);
    check(
        "output.x = 1; output.y = (function () { return this })() === undefined",
        &json!({"x": 1, "y": true}),
    );
    // No access to evaluating text, to the native functions of the guards or to a global object.
    for script in [
        "eval('1')",
        "Function('return 1')()",
        "(() => 1).constructor('return 1')()",
        "this.x = 1",
        "globalThis.x = 1",
    ] {
        check_failure(script);
    }
}

#[test]
fn deep_and_long_scripts_do_not_abort() {
    for (open, close, count) in [
        ("(", ")", 5_000),
        ("[", "]", 5_000),
        ("{", "}", 5_000),
        ("if(1)", "", 5_000),
        ("a=>", "1", 3_000),
    ] {
        // Rejected, failed or answered: what counts is that there is an outcome.
        let _outcome = Rule::compile(&format!("{}{}", open.repeat(count), close.repeat(count)))
            .map(|rule| rule.run(&json!({}), ""));
    }
}

#[test]
fn only_the_documented_form_throws_a_bpmn_error() {
    let thrown = |script: &str| match Rule::compile(script).expect(script).run(&json!({}), "") {
        Err(RuleError::Thrown(error)) => Some((error.code, error.message)),
        _ => None,
    };
    let error = |code: &str, message: &str| Some((code.to_owned(), message.to_owned()));
    for (script, expected) in [
        ("throw new BpmnError('a', 'b')", error("a", "b")),
        ("throw new BpmnError('a')", error("a", "")),
        ("throw new BpmnError('a', undefined)", error("a", "")),
        ("throw new BpmnError('a', 5)", error("a", "5")),
        (
            "throw new BpmnError('a', { toString() { return 'mine' } })",
            error("a", "mine"),
        ),
        (
            "class Mine extends BpmnError {} throw new Mine('a', 'b')",
            error("a", "b"),
        ),
        (
            "const e = new BpmnError('a'); e.message = 'other'; throw e",
            error("a", ""),
        ),
        (
            "output.x = new BpmnError('a').code; if (output.x === 'a') throw new BpmnError('read')",
            error("read", ""),
        ),
        (
            "try { throw new BpmnError('a') } catch (e) { throw new BpmnError('b', e.message) }",
            error("b", ""),
        ),
        (
            "try { throw new BpmnError('a') } finally { output.x = 1 }",
            error("a", ""),
        ),
        (
            "throw new BpmnError('a'.repeat(256))",
            error(&"a".repeat(256), ""),
        ),
        ("throw new BpmnError('a'.repeat(257))", None),
        ("throw new BpmnError('')", None),
        ("throw new BpmnError()", None),
        ("throw new BpmnError(5)", None),
        ("throw new BpmnError(null, 'b')", None),
        ("throw new BpmnError({ toString() { return 'a' } })", None),
        ("throw new BpmnError('a', Symbol('b'))", None),
        (
            "throw new BpmnError('a', { toString() { for (;;); } })",
            None,
        ),
        ("throw BpmnError('a')", None),
        ("throw BpmnError.prototype", None),
        ("throw Object.create(BpmnError.prototype)", None),
        (
            "throw Object.assign(new Error('b'), { name: 'BpmnError', code: 'a' })",
            None,
        ),
        ("throw { code: 'a', message: 'b', errorCode: 'a' }", None),
        ("throw 'a'", None),
        ("throw undefined", None),
        ("return new BpmnError('a')", None),
        ("BpmnError = class {}; throw new BpmnError('a')", None),
        ("try { throw new BpmnError('a') } catch {} for (;;);", None),
    ] {
        assert_eq!(thrown(script), expected, "{script}");
    }
    let before = Limit::ErrorCodes.count();
    assert_eq!(thrown("throw new BpmnError('a'.repeat(1000))"), None);
    assert!(Limit::ErrorCodes.count() > before, "a refusal is counted");
    let long = thrown("throw new BpmnError('a', 'é'.repeat(100000))").expect("it is thrown");
    assert!(
        long.1.len() < 1_010 && long.1.ends_with('…'),
        "{}",
        long.1.len()
    );
    check(
        "try { throw new BpmnError('a') } catch (e) { output.code = e.code }",
        &json!({"code": "a"}),
    );
}
