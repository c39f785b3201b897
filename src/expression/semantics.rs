//! The meaning of conditions, as the process model states it: the same on both paths.

use serde_json::{Value, json};

use super::condition::Condition;
use super::sandbox::ScriptError;
use super::script::Script;

/// Evaluates `text` over `data` on the path it takes, and checks that the sandbox says the same.
#[track_caller]
fn check(text: &str, data: &Value, expected: Result<bool, &str>) {
    let condition = Condition::compile(text)
        .unwrap_or_else(|refusal| panic!("`{text}` was refused: {refusal:?}"));
    let answer = condition.evaluate(data);
    match expected {
        Ok(expected) => assert_eq!(answer, Ok(expected), "`{text}` over {data}"),
        Err(part) => {
            let error = answer.expect_err(text);
            assert!(
                error.0.contains(part),
                "`{text}`: expected an error with `{part}`, but got `{error}`"
            );
        }
    }
    if let Condition::Fast(_) = condition {
        let bare = text
            .trim()
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(text);
        let script = Script::compile(bare)
            .map(Condition::Script)
            .unwrap_or_else(|error: ScriptError| panic!("{error:?}"));
        assert_eq!(
            script.evaluate(data).ok(),
            expected.ok(),
            "`{text}` in the sandbox, over {data}"
        );
    }
}

/// Whether `input` means all data follows from the text alone.
#[test]
fn input_means_all_data_unless_a_variable_has_that_name() {
    let data = json!({"input": 7, "other": "x"});
    for (text, expected) in [
        ("input == 7", Ok(true)),
        ("${input <= 7 && other == 'x'}", Ok(true)),
        ("(input + 1) * 2 == 16", Ok(true)),
        ("other == 'x' ? input > 5 : false", Ok(true)),
        ("[1, 7].includes(input) && input.other == 'x'", Ok(false)),
        ("input.other == 'x'", Ok(true)),
        ("input['input'] == 7", Ok(true)),
        ("input?.input == 7", Ok(true)),
        ("Object.keys(input).length == 2", Ok(true)),
        ("'other' in input", Ok(true)),
    ] {
        check(text, &data, expected);
    }
    check("input === undefined", &json!({"a": 1}), Ok(true));
}

#[test]
fn conditions_over_data() {
    let data = json!({
        "client": {"age": 20, "income": 15000.5, "name": "Zoë", "tags": ["a", "b"], "none": null},
        "big": {"id": 7_615_917_337_495_251_231_i64, "same": 7_615_917_337_495_251_231_i64, "max": u64::MAX,
            "safe": 9_007_199_254_740_991_i64},
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
        (
            "big.id == 7615917337495251231n && big.id > 7615917337495251230n && big.id > 5 && \
            big.id < 1e19",
            Ok(true),
        ),
        (
            "big.id === 7615917337495251231n && big.id == '7615917337495251231' && big.max != \
            big.id",
            Ok(true),
        ),
        (
            "`${big.id}` == '7615917337495251231' && big.max == 18446744073709551615n",
            Ok(true),
        ),
        (
            "big.id === big.same && big.safe === 9007199254740991 && typeof big.id == 'bigint'",
            Ok(true),
        ),
        ("big.id + 1 > 5", Err("1n in place of 1")),
        ("big.id", Err("gave a BigInt")),
        ("client.age.toFixed(101) == ''", Err("failed")),
        (
            "typeof Date === 'undefined' && typeof Math.random === 'undefined'",
            Ok(true),
        ),
        (
            "typeof constructor === 'undefined' && typeof toString === 'undefined'",
            Ok(true),
        ),
    ] {
        check(text, &data, expected);
    }
}

#[test]
fn feel_and_juel_compare_as_in_their_languages() {
    let data = json!({
        "code": "007", "none": null, "zero": 0, "one": 1, "text": "1", "blank": "", "no": false,
        "list": [1, {"a": 2}], "same": [1, {"a": 2}], "other": [1], "nothing": [], "größe": 3,
        "object": {"a": [1]}, "alike": {"a": [1]}, "big": 9_007_199_254_740_993_i64,
    });
    for (text, expected) in [
        // FEEL: different kinds are not equal.
        ("= code = 7", Ok(false)),
        ("= one = text", Ok(false)),
        ("= blank = zero", Ok(false)),
        ("= zero = nothing", Ok(false)),
        ("= blank = no", Ok(false)),
        ("= one != text", Ok(true)),
        ("= list = same", Ok(true)),
        ("= list != same", Ok(false)),
        ("= list = other", Ok(false)),
        ("= object = alike", Ok(true)),
        ("= none = missing", Ok(true)),
        ("= none = zero", Ok(false)),
        ("= größe = 3 and one = 1", Ok(true)),
        ("= big > 9007199254740992", Ok(true)),
        // An order needs two numbers or two texts.
        ("= none < 5", Ok(false)),
        ("= missing < 5", Ok(false)),
        ("= text < 5", Err("FEEL converts nothing")),
        ("= code < text", Ok(true)),
        // JUEL converts, but compares lists and objects by their contents.
        ("#{code == 7}", Ok(true)),
        ("#{list == same}", Ok(true)),
        ("${list eq same}", Ok(true)),
        ("${object ne alike}", Ok(false)),
        ("#{none < 5}", Ok(false)),
    ] {
        let condition = Condition::compile(text)
            .unwrap_or_else(|refusal| panic!("`{text}` was refused: {refusal:?}"));
        let answer = condition.evaluate(&data);
        match expected {
            Ok(expected) => assert_eq!(answer, Ok(expected), "`{text}`"),
            Err(part) => assert!(
                answer.is_err_and(|error| error.0.contains(part)),
                "`{text}`"
            ),
        }
    }
}

#[test]
fn other_feel_gets_no_advice_that_means_something_else() {
    for text in [
        "= x in [\"a\",\"b\"]",
        "= list[1] = 2",
        "= x = [1,2]",
        "= x = {a:1}",
        "= `a b` > 1",
        "${return x}",
    ] {
        let refusal = format!("{:?}", Condition::compile(text).expect_err(text));
        assert!(
            !refusal.contains("write ${x") && !refusal.contains("${list[1]"),
            "{refusal}"
        );
    }
}

#[test]
fn data_are_frozen_and_nothing_survives_an_evaluation() {
    let data = json!({"a": 1, "list": [2, 1], "deep": {"list": [[2]]}});
    let in_sandbox = |text: &str| {
        Script::compile(text)
            .map(Condition::Script)
            .expect(text)
            .evaluate(&data)
    };
    assert_eq!(
        in_sandbox("(Object.prototype.polluted = 1, Array.prototype.map = 1, true)"),
        Ok(true)
    );
    for change in [
        "(input.a = 2, true)",
        "(list.push(1), true)",
        "(list.sort(), true)",
        "(deep.list[0][0] = 1, true)",
        "(input.deep.list[0].pop(), true)",
        "(Object.assign(input, {a: 2}), true)",
        "delete input.a",
    ] {
        assert!(in_sandbox(change).is_err(), "{change}");
    }
    check(
        "input.polluted === undefined && typeof [].map === 'function' && a === 1 && !!({}).x === \
        false",
        &data,
        Ok(true),
    );
}

#[test]
fn plain_conditions_of_other_languages_are_understood() {
    let data = json!({"amount": 101, "approved": true, "status": "open"});
    for text in [
        "= amount > 100",
        "=approved = true and not(status = \"closed\")",
        "#{amount > 100 && approved}",
        "#{status == 'open'}",
        "${amount gt 100 and not (status eq 'closed')}",
    ] {
        let condition =
            Condition::compile(text).unwrap_or_else(|found| panic!("{text}: {found:?}"));
        assert_eq!(condition.evaluate(&data).ok(), Some(true), "{text}");
    }
}

#[test]
fn refused_conditions_are_reported_with_their_position() {
    for (text, part) in [
        ("${}", "empty"),
        ("${amount >}", "line 1, column 11"),
        ("a &&\n* b", "line 2, column 1"),
        ("${a} && ${b}", "expected a JavaScript expression"),
        (
            "true)}, function(){return (1",
            "expected a JavaScript expression",
        ),
        ("a) + (b", "expected a JavaScript expression"),
        ("if (a) true", "`if` begins a statement"),
        (
            "approved = true",
            "line 1, column 10: `=` assigns a value; write `==` to compare: ${approved == true}",
        ),
        ("${approved = true}", "column 12: `=` assigns"),
        (
            "= count(list) > 1",
            "such as ${amount > 100 && approved == true}",
        ),
        ("#{not empty list}", "write ${…} with JavaScript in it"),
        ("a > 1 && #{b}", "column 10: `#{…}` is not supported"),
        (
            "input.list.push(1) > 0",
            "line 1, column 12: `push` changes its list",
        ),
        ("id == 7615917337495251231", "write 7615917337495251231n"),
        (
            "execution.getVariable('a') == 1",
            "`getVariable` is no method of data",
        ),
        ("\"${status}\" == 'open'", "`${` in a text is not filled in"),
        ("contains(a, 'b')", "`contains` is no function"),
        ("'\u{0}", "expected a JavaScript expression"),
    ] {
        let refusal = Condition::compile(text).expect_err(text);
        assert!(
            format!("{refusal:?}").contains(part),
            "`{text}`: expected `{part}`, but got {refusal:?}"
        );
    }
}
