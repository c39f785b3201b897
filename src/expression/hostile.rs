//! Conditions and schemas that try to hang, exhaust or abort the process must end in an answer or
//! an error.

use serde_json::json;

use super::condition::Condition;
use super::key_schemas::KeySchemas;
use super::script::Script;

/// `text` must fail in the sandbox, even if it could not be deployed as a condition: safety does
/// not depend on the check at deploy.
fn check(text: &str) {
    let script = Script::compile(text).unwrap_or_else(|error| panic!("`{text}`: {error:?}"));
    let answer = Condition::Script(script).evaluate(&json!({}));
    assert!(
        answer.is_err(),
        "expected `{text:.80}` to fail, but it gave {answer:?}"
    );
}

#[test]
fn hostile_conditions_fail() {
    for text in [
        "(() => { for (;;); })()",
        "(function f() { return f() })()",
        "'x'.repeat(1e9)",
        "(() => { let s = 'a'; for (;;) s += s })()",
        "(() => { let a = []; for (;;) a.push(a.slice()) })()",
        "(() => { let o = {}; for (let i = 0; ; i++) o['k' + i] = i })()",
        "(() => { let x = []; for (let i = 0; i < 2e5; i++) x = [x]; return x.join() })()",
        "/(a+)+b/.test('a'.repeat(40))",
        "/a*a*a*a*a*a*a*b/.test('a'.repeat(1e5))",
        "new Proxy({}, { get() { for (;;); } }).x",
        "(() => { throw { get message() { for (;;); } } })()",
        "(() => { throw '\\ud800' })()",
        "new Array(4294967295).fill(1)",
        "new Array(4294967295).indexOf(1)",
        "new Array(4294967295).join()",
        "new Array(4294967295) == 'x'",
        "[new Array(4294967295)] + ''",
        "new Array(4294967295).reverse()",
        "new Array(4294967295).sort()",
        "new Array(4294967295).flat()",
        "[].concat(new Array(4294967295), 1)",
        "new Array(4294967295).slice()",
        "new Array(4294967295).splice(0, 1)",
        "new Array(4294967295).unshift(1)",
        "new Array(4294967295).shift()",
        "new Array(4294967295).copyWithin(0, 1)",
        "Array.prototype.join.call({ length: 2 ** 53 - 1 })",
        "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b') == 0 ? 1 : 2",
        "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '')",
        "String.raw({ raw: { length: 2 ** 53 - 1 } })",
        "(() => 1).constructor('return 1')()",
        "eval('1')",
        "(async () => 1)()",
        "(async function* () {})().next()",
        "import('x')",
        "2n ** 999999n * 3n ** 600000n",
    ] {
        check(text);
    }
}

#[test]
fn deep_conditions_do_not_abort() {
    for (open, middle, close, count) in [
        ("(", "1", ")", 5000),
        ("[", "1", "]", 5000),
        ("!", "1 + 1", "", 10_000),
        ("- ", "1", "", 5000),
        ("a=>", "1", "", 3000),
        ("`${", "1", "}`", 3000),
        ("(", "", "", 10_000),
        ("a.b.", "c", "", 3000),
        ("a[", "0", "]", 3000),
        ("1==", "1 + 1", "", 3000),
        ("1==", "1 && 5", "", 3000),
        ("1 && ", "5", "", 3000),
        ("a?a:", "1", "", 3000),
        ("not ", "a", "", 4000),
        ("f(a=>", "1", ")", 2500),
        ("x.sort().", "a", "", 1700),
        ("{", "a", "}", 8000),
        ("a=", "1", "", 8000),
    ] {
        // Rejected, failed or answered: what counts is that there is an outcome.
        let text = format!("{}{middle}{}", open.repeat(count), close.repeat(count));
        let _outcome = Condition::compile(&text).map(|condition| condition.evaluate(&json!({})));
    }
}

#[test]
fn hostile_schemas_are_bounded() {
    for schema in [
        json!({"$ref": "https://example.com/schema.json"}),
        json!({"$ref": "file:///etc/hostname"}),
        json!({"type": "nothing"}),
        json!({"pattern": "(("}),
        json!({"pattern": "(?:a{1000}){1000}"}),
    ] {
        let refused = KeySchemas::default().add(&schema);
        assert!(refused.is_err(), "expected {schema} to be refused");
    }
    for endless in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"properties": {"a": {"$ref": "#"}}}),
    ] {
        let mut schemas = KeySchemas::default();
        // Rejected, failed or answered: what counts is that there is an outcome.
        let _outcome = schemas
            .add(&endless)
            .map(|()| schemas.check(&endless, &json!({"a": {"a": 1}})));
    }
    let slow = json!({"pattern": "^(a+)+$"});
    let mut schemas = KeySchemas::default();
    schemas.add(&slow).expect("a valid schema");
    assert!(
        schemas
            .check(&slow, &json!(format!("{}b", "a".repeat(10_000))))
            .is_err()
    );
}
