//! What conditions mean: the sentences of the process model, the same on both paths.

use serde_json::{Value, json};

use super::condition::Condition;
use super::sandbox::ScriptError;
use super::script::Script;

/// Evaluates `text` over `data` on the path it takes, and checks that the sandbox says the same.
fn check(text: &str, data: &Value, expected: Result<bool, &str>) {
    let condition = Condition::compile(text).unwrap_or_else(|refusal| panic!("`{text}` was refused: {refusal:?}"));
    let answer = condition.evaluate(data);
    match expected {
        Ok(expected) => assert_eq!(answer, Ok(expected), "`{text}` over {data}"),
        Err(part) => {
            let error = answer.expect_err(text);
            assert!(error.0.contains(part), "`{text}`: expected an error with `{part}`, but got `{error}`");
        }
    }
    if let Condition::Fast(_) = condition {
        let bare = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        let script = Script::compile(bare).map(Condition::Script).unwrap_or_else(|error: ScriptError| panic!("{error:?}"));
        assert_eq!(script.evaluate(data).ok(), expected.ok(), "`{text}` in the sandbox, over {data}");
    }
}

#[test]
fn conditions_over_data() {
    let data = json!({
        "client": {"age": 20, "income": 15000.5, "name": "Zoë", "tags": ["a", "b"], "none": null},
        "amount": "100", "größe": 3, "order-no": 7, "input": {"x": 1}, "Math": 1, "odd": {"toString": 1},
    });
    for (text, expected) in [
        ("${client.age >= 18 && client.income >= 12000}", Ok(true)),
        ("client.age < 18 || amount == 100", Ok(true)),
        ("amount === 100", Ok(false)),
        ("missing === undefined", Ok(true)),
        ("missing.member == 1", Err("undefined")),
        ("client.none.member == 1", Err("null")),
        ("client.missing == null", Ok(true)),
        ("client.tags == 'a,b'", Ok(true)),
        ("client.tags.length == 2", Ok(true)),
        ("client == '[object Object]'", Ok(true)),
        ("odd == 1", Err("")),
        ("client == input.client", Ok(true)),
        ("!client.none", Ok(true)),
        ("client.age", Err("gave 20")),
        ("client.name && true", Ok(true)),
        ("größe == 3 && client.name.toUpperCase() == 'ZOË'", Ok(true)),
        ("input['order-no'] === 7", Ok(true)),
        ("input.input.x == 1", Ok(true)),
        ("Math.max(1, 2) == 2", Ok(true)),
        ("client.tags.some(tag => tag == 'b')", Ok(true)),
        ("/^Z/.test(client.name) // a comment", Ok(true)),
        ("client.age + 1 == 21", Ok(true)),
        ("client.age ? 5 : 6", Err("gave 5")),
        ("(() => { throw new Error('no') })()", Err("no")),
        ("(() => { throw null })()", Err("failed")),
        ("typeof Date === 'undefined' && typeof Math.random === 'undefined'", Ok(true)),
        ("typeof constructor === 'undefined' && typeof toString === 'undefined'", Ok(true)),
    ] {
        check(text, &data, expected);
    }
}

#[test]
fn nothing_survives_an_evaluation() {
    let data = json!({"a": 1});
    check("(Object.prototype.polluted = 1, Array.prototype.map = 1, input.a = 2, true)", &data, Ok(true));
    check("input.polluted === undefined && typeof [].map === 'function' && a === 1 && !!({}).x === false", &data, Ok(true));
}

#[test]
fn refused_conditions_say_where() {
    for (text, part) in [
        ("= amount > 100", "FEEL"),
        ("${}", "empty"),
        ("${amount >}", "line 1, column 11"),
        ("a &&\n* b", "line 2, column 1"),
        ("${a} && ${b}", "expected a JavaScript expression"),
        ("true)}, function(){return (1", "expected a JavaScript expression"),
        ("a) + (b", "expected a JavaScript expression"),
        ("if (a) true", "expected a JavaScript expression"),
        ("'\u{0}", "expected a JavaScript expression"),
    ] {
        let refusal = Condition::compile(text).expect_err(text);
        assert!(format!("{refusal:?}").contains(part), "`{text}`: expected `{part}`, but got {refusal:?}");
    }
}
