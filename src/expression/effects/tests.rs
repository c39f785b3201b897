use super::*;
use crate::expression::lexer;

#[track_caller]
fn check_fault(source: &str, at: usize, part: &str) {
    let fault = check(&lexer::tokens(source).unwrap_or_else(|error| panic!("{source}: {error:?}")))
        .expect_err(source);
    assert!(
        fault.at == at && fault.found.contains(part),
        "`{source}`: {fault:?}"
    );
}

#[test]
fn expressions_without_effect_pass() {
    for source in [
        "approved == true && !(a !== b) || c >= 1 && d <= 2",
        "list.some(item => item.age > 18) && list.filter((item, index) => index > 0).length",
        "[...list].sort()[0] == 1 && list.slice().reverse().sort((a, b) => a - b)[0]",
        "Object.keys(input).sort().join() == 'a' && Object.assign({}, client).age == 1",
        "order.sort == 'asc' && order.shift && list.push == null && input.delete == \
        input.new && a.fill?.x",
        "({...client, delete: 1, if: 2}).age == ({a: 1, b: 2}).a",
        "`${a}, ${list.map(x => `${x};=`)}` == '=;' && /=;/.test(a)",
        "Math.max(1, 2, a) == list[0] && [1, 2, 3].includes(a) && (f => f(1))",
        "/x/.test(a) && Object.entries(input).some(([name, value]) => value.at(0) == name) \
        && list.map(x => x.foo()) && a.trim() == ''",
        "new Set(list).has(2) && Number.isInteger(a) && JSON.parse(a).b && `${a}` == '$' && \
        a in b && a instanceof Array && typeof (a) == 'x' && void 0 === a",
        "a ? b : c ?? d?.e?.[0]",
        "({valueOf: () => 1}) == 1 && list.reduce((sum, x) => sum + x, 0) > 3",
        "parseInt(a) == 7615917337495251231n && a == 9007199254740992",
        "typeof Math.random == 'undefined' && Object.prototype.hasOwnProperty.call(input, 'a')",
        "Math.max.apply(null, list) == list[0](1) && ['asc'].includes(order.sort)",
        "(x => x.a)(client) == 1 && [x => x][0](1) && list['includes'](1) && list[`length`] == 1",
        "String(a)[0] == 'x' && isNaN(b)",
    ] {
        assert_eq!(
            check(&lexer::tokens(source).expect(source)),
            Ok(()),
            "{source}"
        );
    }
}

#[test]
fn assignments_are_faults() {
    check_fault("approved = true", 9, "`==`");
    check_fault("a == (b = true)", 8, "`==`");
    check_fault("approved = !approved", 9, "`==`");
    check_fault("({a} = input, true)", 5, "`==`");
    check_fault("a += 1", 2, "`+=`");
    check_fault("a ??= 1", 2, "`??=`");
    check_fault("input.count++ > 3", 11, "`++`");
    check_fault("--a", 0, "`--`");
    check_fault("delete input.a", 0, "`delete`");
    check_fault("`${a = 1}`", 5, "`==`");
}

#[test]
fn calls_that_change_data_are_faults() {
    check_fault("input.list.push(1) > 0", 11, "[...list, item]");
    check_fault("list?.sort()[0] == 1", 6, "toSorted()");
    check_fault("list['push'](1) > 0", 5, "`push`");
    check_fault("list.push?.(1)", 5, "`push`");
    check_fault("Array.prototype.push.call(list, 1)", 16, "`push`");
    check_fault("input.lists.find(x => x).reverse()", 25, "toReversed()");
    check_fault("list.sort().reverse()", 5, "toSorted()");
    check_fault("[list][0].pop()", 10, "at(-1)");
    check_fault("Object.assign(input, {a: 1})", 7, "`assign`");
    check_fault(
        "Object.defineProperty(input, 'a', {})",
        7,
        "`defineProperty`",
    );
    check_fault(
        "input.__defineGetter__('a', () => 1)",
        6,
        "__defineGetter__",
    );
}

#[test]
fn calls_in_disguise_are_faults() {
    check_fault("list[`push`](1) > 0", 5, "`push`");
    check_fault("(list.push)(1) > 0", 11, "`push`");
    check_fault("(list.pop)?.()", 12, "`pop`");
    check_fault("(a ? list['sort'] : b)(1)", 22, "`sort`");
    check_fault("list[\"so\" + \"rt\"]()", 17, "computed");
    check_fault("list['p\\u0075sh'](1)", 17, "computed");
    check_fault("list[name](1)", 10, "computed");
    check_fault("Object['assign'](input, {})", 7, "`assign`");
    check_fault("Object.freeze(input)", 7, "`freeze`");
    check_fault("[1].forEach(list.push, list)", 17, "`push`");
    check_fault("(f => f.call(list, 1))(list.at)", 8, "`call`");
    check_fault("list.push`1`", 9, "backquotes");
    check_fault("String.raw`a${b}`", 10, "backquotes");
    check_fault("Math.random() > 0.5", 5, "same answer");
    check_fault("Math['random']() > 0.5", 5, "same answer");
    check_fault("Math?.random?.() > 0.5", 6, "same answer");
    check_fault("list.map(Math.random)[0] > 1", 14, "same answer");
    check_fault("a === 9007199254740992", 6, "write `==`");
}

#[test]
fn statements_and_functions_with_a_body_are_faults() {
    check_fault("a; b", 1, "`;`");
    check_fault("if (a) b", 0, "`if`");
    check_fault("return a", 0, "`return`");
    check_fault("a, b", 1, "`,`");
    check_fault("(a, b)", 2, "`,`");
    check_fault("list[0, 1]", 6, "`,`");
    check_fault("list.some(x => { return x })", 12, "statements");
    check_fault("(function () { return 1 })()", 1, "`function`");
    check_fault("({ get a() { return 1 } }).a", 11, "statements");
    check_fault("async () => 1", 0, "`async`");
    check_fault("await a", 0, "`await`");
    check_fault("new Date() > a", 0, "`new Date`");
    check_fault("this.a == 1", 0, "`input`");
    check_fault("contains(a, 'x')", 0, "`contains` is no function");
    check_fault("list.some(x => has(x))", 15, "`has` is no function");
    check_fault("a == 9007199254740993", 5, "9007199254740993n");
    check_fault("let x", 0, "`let`");
    check_fault("a} && ${b", 7, "in one ${…}");
    check_fault("amount => 100", 7, "write `>=`");
    check_fault("a =< b", 2, "write `<=`");
    check_fault("'${status}' == 'open'", 0, "without quotes");
    check_fault("execution.getVariable('x') == 1", 10, "no method of data");
    check_fault("name.trim().equals('x')", 12, "write ==");
    check_fault("input.list.size() > 0", 11, "write length");
    check_fault("list.contains('a')", 5, "includes(x)");
}
