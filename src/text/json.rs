//! The reader for all JSON from outside that becomes data: bodies, frames, files, answers of other
//! systems, definitions.
//! It skips a byte order mark, as RFC 8259 allows, reports text that is not UTF-8, and rejects,
//! with its path, what could not be written back unchanged: a number that would lose digits, and a
//! duplicate member of an object, of which readers silently keep the last.
//!
//! Not here: which numbers are exact (`number`), how such places are found (`json_scan`), limits of
//! depth and length (each caller).
//!
//! # Rationale
//!
//! **A number that would lose digits is rejected on input** (`text::json`, one pass over the text).
//! `arbitrary_precision` of serde_json would carry longer ones, but makes numbers maps wherever
//! serde buffers (flattened and tagged types, MessagePack), and clients and scripts would round
//! them anyway.

use std::fmt;

use serde::de::DeserializeOwned;

use super::{
    json_scan::{Fault, first_fault, path_around, path_of, place},
    utf8, without_mark,
};

/// Why a text is rejected. Its display is the second half of a sentence: `expected …, but {error}`.
#[derive(Debug)]
pub enum JsonError {
    /// It is not JSON, or not of the expected form.
    Unreadable(serde_json::Error),
    /// It contains a number that would lose digits.
    Inexact {
        /// The path of the number, such as `order.items[0].id`; empty for the whole text.
        path: String,
        /// The number as written, cut off when long.
        number: String,
    },
    /// An object in it has a duplicate member.
    Repeated {
        /// The path of the object, such as `order.items[0]`; empty for the whole text.
        path: String,
        /// The member's name, cut off when long.
        name: String,
        /// Line and column of both, from 1.
        places: [(usize, usize); 2],
    },
    /// It is not UTF-8.
    Encoding(String),
}

impl JsonError {
    /// The code of the problem to report when this is found in a definition.
    pub fn problem_code(&self) -> &'static str {
        match self {
            Self::Repeated { .. } => "duplicate_member",
            _ => "invalid_value",
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => f.write_str(&in_words(error)),
            Self::Inexact { path, number } => {
                let place = if path.is_empty() {
                    String::new()
                } else {
                    format!(" at `{path}`")
                };
                write!(
                    f,
                    "the number {number}{place} would lose digits; write it as a text in quotes, \
                    or with fewer digits"
                )
            }
            Self::Repeated { path, name, places } => {
                let of = if path.is_empty() {
                    String::new()
                } else {
                    format!(" of `{path}`")
                };
                let [(line, column), (second_line, second_column)] = places;
                write!(
                    f,
                    "the member `{name}`{of} is there twice, at line {line} column {column} and \
                    at line {second_line} column {second_column}; leave one out"
                )
            }
            Self::Encoding(found) => f.write_str(found),
        }
    }
}

/// Reads bytes. A UTF-8 byte order mark is skipped.
///
/// # Errors
/// Why the text is rejected.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    read(utf8(bytes).map_err(JsonError::Encoding)?)
}

/// Reads a text. A byte order mark is skipped.
///
/// # Errors
/// Why the text is rejected.
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    read(without_mark(text))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    let value = serde_json::from_str(text);
    // The library reports these as errors, too, but without a path.
    let is_fault = |error: &serde_json::Error| {
        let message = error.to_string();
        message.contains("out of range") || message.starts_with("duplicate field")
    };
    if let Some(error) = value.as_ref().err()
        && !is_fault(error)
    {
        return value.map_err(JsonError::Unreadable);
    }
    match first_fault(text) {
        None => value.map_err(JsonError::Unreadable),
        Some(Fault::Inexact { at, number }) => Err(JsonError::Inexact {
            path: path_of(text, at),
            number: shown(number),
        }),
        Some(Fault::Repeated {
            name,
            first,
            second,
        }) => Err(JsonError::Repeated {
            path: path_around(text, second),
            name: shown(&name),
            places: [place(text, first), place(text, second)],
        }),
    }
}

/// The library's error in the words of those who wrote the text.
pub fn in_words(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!("at line {} column {}", error.line(), error.column());
    if message.starts_with("lone leading surrogate") || message.starts_with("unexpected end of hex")
    {
        return format!(
            "{place} is half of a surrogate pair such as \\ud800, which is no character; write \
            the whole character"
        );
    }
    if message.starts_with("recursion limit") {
        return format!("{place} it has more than 127 levels of objects and lists; flatten it");
    }
    if let Some(words) = wrong_type(&message) {
        return if error.line() == 0 {
            words
        } else {
            format!("{place} {words}")
        };
    }
    let words = SYNTAX
        .iter()
        .find_map(|(start, words)| message.starts_with(start).then_some(*words));
    words.map_or_else(
        || bounded(message, &place),
        |words| format!("{place} {words}"),
    )
}

/// What the libraries of JSON and TOML say of a value of another type, in the words of JSON.
pub fn wrong_type(message: &str) -> Option<String> {
    let rest = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start))?;
    let (found, wanted) = rest.rsplit_once(", expected ")?;
    let wanted = wanted.rsplit_once(" at line ").map_or(wanted, |(it, _)| it);
    let wanted = match wanted {
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    let found = match found.split_once(' ').unwrap_or((found, "")) {
        ("sequence", "") => "a list".to_owned(),
        ("map", "") => "an object".to_owned(),
        ("string", text) => format!("the text {}", shown(text)),
        ("integer" | "floating", number) => {
            format!(
                "the number {}",
                number.trim_start_matches("point ").trim_matches('`')
            )
        }
        ("boolean", value) => value.trim_matches('`').to_owned(),
        _ => found.to_owned(),
    };
    Some(format!("there is {found} instead of {wanted}"))
}

/// An error may repeat a text of the sender in full: this shortens it to what identifies it.
fn bounded(message: String, place: &str) -> String {
    if message.len() <= MESSAGE_BYTES {
        return message;
    }
    let end = message.floor_char_boundary(MESSAGE_BYTES);
    format!("{}… {place}", &message[..end])
}

/// Bytes of the library's message that are repeated.
const MESSAGE_BYTES: usize = 256;

/// The beginnings of the library's messages about invalid JSON, and the corresponding descriptions.
const SYNTAX: [(&str, &str); 16] = [
    (
        "EOF while parsing a string",
        "the text ends within a string: its closing quote is missing",
    ),
    (
        "EOF while parsing a list",
        "the text ends within a list: its `]` is missing",
    ),
    (
        "EOF while parsing an object",
        "the text ends within an object: its `}` is missing",
    ),
    (
        "EOF while parsing a value",
        "the text ends where a value is missing",
    ),
    (
        "expected ident",
        "there is a word that JSON does not have; put texts in double quotes",
    ),
    (
        "expected value",
        "there is no JSON value; put texts in double quotes",
    ),
    (
        "expected `:`",
        "the `:` between a member's name and its value is missing",
    ),
    (
        "expected `,` or `]`",
        "a `,` between two items, or the `]` of their list, is missing",
    ),
    (
        "expected `,` or `}`",
        "a `,` between two members, or the `}` of their object, is missing",
    ),
    (
        "key must be a string",
        "a member's name is missing; put names in double quotes",
    ),
    (
        "trailing comma",
        "there is nothing behind a comma; remove the comma",
    ),
    (
        "trailing characters",
        "there is something behind the end of the value; remove it",
    ),
    (
        "control character",
        "a string holds a line break or another control character; write \\n",
    ),
    (
        "invalid escape",
        "a `\\` stands before a character that it cannot stand before; double it",
    ),
    (
        "invalid number",
        "a number is not written as in JSON, such as 1, -2.5 or 1e3",
    ),
    (
        "invalid unicode code point",
        "a \\u is not followed by the code of a character",
    ),
];

/// The text as written, cut off when long.
fn shown(text: &str) -> String {
    let end = text.floor_char_boundary(40);
    if end < text.len() {
        format!("{}…", &text[..end])
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<Value, &str>) {
        let found = from_bytes::<Value>(bytes).map_err(|error| error.to_string());
        match (found, expected) {
            (Err(sentence), Err(part)) => assert!(sentence.contains(part), "{sentence}"),
            (found, expected) => assert_eq!(found, expected.map_err(str::to_owned)),
        }
    }

    #[test]
    fn one_byte_order_mark_is_ignored() {
        check(b"\xef\xbb\xbf{\"a\":1}", Ok(json!({"a": 1})));
        check(b"\xef\xbb\xbf\xef\xbb\xbf1", Err("line 1"));
        check(
            " {\"ä\": \"\u{feff}\"}".as_bytes(),
            Ok(json!({"ä": "\u{feff}"})),
        );
        check(b"\xef\xbb\xbf", Err("a value is missing"));
        check(b"7", Ok(json!(7)));
    }

    #[test]
    fn values_of_another_type_are_named_in_the_words_of_json() {
        #[track_caller]
        fn said<T: DeserializeOwned>(text: &str, words: &str) {
            let error = serde_json::from_str::<T>(text).err().unwrap();
            assert!(in_words(&error).ends_with(words), "{}", in_words(&error));
        }
        type Map = std::collections::BTreeMap<String, u32>;
        said::<Map>("[]", "there is a list instead of an object");
        said::<Map>("1", "there is the number 1 instead of an object");
        said::<Map>("null", "there is null instead of an object");
        said::<Map>(
            "{\"a\": true}",
            "there is true instead of a whole number of at least 0",
        );
        said::<Vec<u32>>("{}", "there is an object instead of a list");
        said::<Vec<String>>("[1.5]", "there is the number 1.5 instead of a string");
        said::<bool>(
            "\"yes\"",
            "there is the text \"yes\" instead of true or false",
        );
        let value = serde_json::from_value::<bool>(json!([])).err().unwrap();
        assert_eq!(in_words(&value), "there is a list instead of true or false");
    }

    #[test]
    fn other_encodings_are_named() {
        let utf16 = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>()
        };
        check(&utf16("\u{feff}{}"), Err("UTF-16"));
        check(&utf16("{}"), Err("UTF-16"));
        check(b"\xfe\xff\0{\0}", Err("UTF-16"));
        check(b"\0{\0}", Err("UTF-16"));
        check(b"\xff\xfe\0\0{\0\0\0", Err("UTF-32"));
        check(b"{\"a\": \"\xe4\"}", Err("byte 7 belongs to no UTF-8 text"));
    }

    #[test]
    fn numbers_that_lose_digits_are_refused_with_their_path() {
        let exact = r#"{"id": 7615917337495251231, "max": 18446744073709551615, "x": [0.1, -2.50, 1e21], "t": "12345678901234567890123"}"#;
        check(
            exact.as_bytes(),
            Ok(serde_json::from_str(exact).expect("JSON")),
        );
        for (text, path) in [
            (
                r#"{"order": {"id": 12345678901234567890123}}"#,
                "at `order.id`",
            ),
            (
                r#"{"a": "x, y: [", "b": [{}, [1, 0.1000000000000000055], 2]}"#,
                "at `b[1][1]`",
            ),
            (
                r#"[{"a\"b" : {"c.d": [{"": -9223372036854775809}]}}]"#,
                r#"at `[0]["a\"b"]["c.d"][0][""]`"#,
            ),
            (
                "1.00000000000000000001",
                "the number 1.00000000000000000001 would",
            ),
            (r#"{"a": 1e-400}"#, "1e-400 at `a`"),
        ] {
            check(text.as_bytes(), Err(path));
        }
        check(
            br#"{"a": [1e400], "b": }"#,
            Err("the number 1e400 at `a[0]`"),
        );
        check(format!("[{}]", "1".repeat(300)).as_bytes(), Err("…"));
    }

    #[test]
    fn a_duplicate_member_is_reported_with_both_positions() {
        for once in [
            "{}",
            "[1, \"a\", \"a\"]",
            r#"{"a": {"a": "a"}, "b": ["a", {"a": 1}, {"a": 1}], "c": {"b": 1}}"#,
        ] {
            check(once.as_bytes(), Ok(serde_json::from_str(once).expect(once)));
        }
        let many: String = (0..100)
            .map(|number| format!("\"m{number}\": 1, "))
            .collect();
        for (twice, parts) in [
            (
                "{\"a\": 1,\n \"a\": 2}",
                "`a` is there twice, at line 1 column 2 and at line 2 column 2",
            ),
            (
                "{\"x\": [0, {\"b\": \"}\\\"\",\n\n\"c\": [],\n\"b\" : 2}]}",
                "`b` of `x[1]` is there twice, at line 1 column 12 and at line 4 column 1",
            ),
            ("[{\"ä\": 1, \"\\u00e4\": 2}]", "`ä` of `[0]`"),
            (&format!("{{{many}\"m7\": 2}}"), "`m7` is there twice"),
            (
                &format!("{{\"o\": {{{many}\"m99\": {{}}}}}}"),
                "`m99` of `o`",
            ),
            ("{\"\": 1, \"\": 1}", "`` is there twice"),
        ] {
            check(twice.as_bytes(), Err(parts));
        }
        check(b"{\"a\": 1, \"a\": }", Err("line 1"));
    }

    #[test]
    fn library_errors_are_translated_to_plain_sentences() {
        for half in [
            r#"{"a": "\ud800"}"#,
            r#"{"a": "\udc00"}"#,
            r#"["\ud800x"]"#,
            r#"{"\ud800": 1}"#,
        ] {
            check(half.as_bytes(), Err("half of a surrogate pair"));
        }
        check("[".repeat(200).as_bytes(), Err("127 levels"));
        for (text, words) in [
            (
                "",
                "at line 1 column 0 the text ends where a value is missing",
            ),
            ("{", "`}` is missing"),
            ("[1", "`]` is missing"),
            ("\"a", "closing quote is missing"),
            ("nonsense", "a word that JSON does not have"),
            ("{\"a\": x}", "at line 1 column 7 there is no JSON value"),
            ("{\"a\" 1}", "the `:`"),
            ("[1 2]", "between two items"),
            ("{\"a\":1 \"b\":2}", "between two members"),
            ("{a: 1}", "put names in double quotes"),
            ("[1,]", "behind a comma"),
            ("{} {}", "behind the end of the value"),
            ("\"a\nb\"", "a line break"),
            ("\"\\q\"", "double it"),
            ("[01]", "written as in JSON"),
        ] {
            check(text.as_bytes(), Err(words));
        }
    }

    #[test]
    fn error_messages_quote_little_of_a_long_text() {
        let long = format!("\"{}\"", "é!".repeat(20_000));
        let error = from_text::<u32>(&long)
            .expect_err("it is no number")
            .to_string();
        assert!(
            error.len() < 400 && error.ends_with("… instead of a whole number of at least 0"),
            "{error}"
        );
    }
}
