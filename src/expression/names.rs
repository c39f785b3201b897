//! The names that have a meaning in JavaScript independent of the data: keywords, the built-ins a
//! condition may use, and the properties that values inherit.

use super::lexer::{Kind, Token};

/// Words that cannot be variables in strict mode, so keys with these names are reachable only below
/// `input`.
#[rustfmt::skip]
const RESERVED: [&str; 48] = [
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do",
    "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in",
    "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return", "static",
    "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
];

/// The globals a condition sees. All others, `Date` among them, are treated as missing names and
/// are therefore `undefined`.
#[rustfmt::skip]
const BUILT_INS: [&str; 18] = [
    "Array", "BigInt", "Boolean", "Infinity", "JSON", "Map", "Math", "NaN", "Number", "Object", "RegExp", "Set", "String",
    "isFinite", "isNaN", "parseFloat", "parseInt", "undefined",
];

/// What objects, arrays, texts, numbers and booleans inherit, sorted. `length` is not listed: it
/// depends on the value alone.
#[rustfmt::skip]
const INHERITED: [&str; 93] = [
    "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "anchor", "at", "big",
    "blink", "bold", "charAt", "charCodeAt", "codePointAt", "concat", "constructor", "copyWithin", "endsWith", "entries",
    "every", "fill", "filter", "find", "findIndex", "findLast", "findLastIndex", "fixed", "flat", "flatMap", "fontcolor",
    "fontsize", "forEach", "hasOwnProperty", "includes", "indexOf", "isPrototypeOf", "isWellFormed", "italics", "join",
    "keys", "lastIndexOf", "link", "localeCompare", "map", "match", "matchAll", "normalize", "padEnd", "padStart", "pop",
    "propertyIsEnumerable", "push", "reduce", "reduceRight", "repeat", "replace", "replaceAll", "reverse", "search",
    "shift", "slice", "small", "some", "sort", "splice", "split", "startsWith", "strike", "sub", "substr", "substring",
    "sup", "toExponential", "toFixed", "toLocaleLowerCase", "toLocaleString", "toLocaleUpperCase", "toLowerCase",
    "toPrecision", "toReversed", "toSorted", "toSpliced", "toString", "toUpperCase", "toWellFormed", "trim", "trimEnd",
    "trimLeft", "trimRight", "trimStart", "unshift", "valueOf", "values", "with",
];

/// The name of all data, unless it is the name of a variable: [`input_is_all_data`].
pub const INPUT: &str = "input";

/// Whether `input` means all data in a condition of these tokens: somewhere a member of it is read,
/// or it is passed to a function. Everywhere else, as in `input > 5`, all data would make no sense,
/// so it is the variable with that name. The text alone decides, so that data cannot change the
/// meaning of a condition.
pub fn input_is_all_data(tokens: &[Token<'_>]) -> bool {
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|token| token.text);
    let is_argument = |at: usize| {
        let is_called = |before: usize| {
            let kind = tokens.get(before).map(|token| (token.kind, token.text));
            matches!(kind, Some((Kind::Word, _) | (Kind::Sign, ")" | "]")))
        };
        let begins = match text(at.checked_sub(1)) {
            Some("(") => at.checked_sub(2).is_some_and(is_called),
            Some("," | "..." | "in") => true,
            _ => false,
        };
        begins && matches!(text(Some(at + 1)), None | Some("," | ")" | "]" | "}"))
    };
    tokens.iter().enumerate().any(|(at, token)| {
        token.kind == Kind::Word
            && token.text == INPUT
            && !matches!(text(at.checked_sub(1)), Some("." | "?."))
            && (matches!(text(Some(at + 1)), Some("." | "?." | "[")) || is_argument(at))
    })
}

/// Whether `word` cannot name a top-level key.
pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// Whether `word` names a built-in. A built-in takes precedence over a top-level key of the same
/// name, so that data cannot change the meaning of a condition; the key is reachable below `input`.
pub fn is_built_in(word: &str) -> bool {
    BUILT_INS.contains(&word)
}

/// Whether some JSON value inherits a property `name`.
pub fn is_inherited_name(name: &str) -> bool {
    INHERITED.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{BUILT_INS, INHERITED};
    use crate::expression::condition::Condition;

    fn holds(condition: &str) -> bool {
        let data = json!({"known": INHERITED.as_slice()});
        Condition::compile(condition)
            .expect(condition)
            .evaluate(&data)
            .expect(condition)
    }

    #[test]
    fn every_inherited_property_is_known() {
        assert!(holds(
            "[Object, Array, String, Number, Boolean, BigInt].every(type =>
                Object.getOwnPropertyNames(type.prototype).every(name => name == 'length' || known.includes(name)))"
        ));
        assert!(INHERITED.is_sorted(), "a binary search needs order");
    }

    #[test]
    fn every_built_in_exists() {
        for name in BUILT_INS.into_iter().filter(|name| *name != "undefined") {
            assert!(
                holds(&format!("typeof {name} != 'undefined'")),
                "`{name}` is not a global"
            );
        }
    }
}
