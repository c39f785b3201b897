//! The one reader of JSON from outside that becomes data: bodies, frames, files, answers of other
//! systems, what a definition holds.
//!
//! It passes over a byte order mark, as RFC 8259 allows, says so in words when a text is no UTF-8,
//! and refuses a number that could not be held exactly, with its path: what was read is written
//! back with every digit it had.
//!
//! Not here: what makes a number exact (`number`), how deep and long a text may be (its reader's
//! business).

use std::fmt;

use serde::de::DeserializeOwned;

use super::{number::is_exact, utf8, without_mark};

/// Why a text is not read. Displayed, it is the second half of a sentence: `expected …, but
/// {error}`.
#[derive(Debug)]
pub enum JsonError {
    /// It is no JSON, or not of the wanted form.
    Unreadable(serde_json::Error),
    /// It holds a number that would lose digits.
    Inexact {
        /// Where, as `order.items[0].id`; empty for the whole text.
        path: String,
        /// As it is written, cut off when long.
        number: String,
    },
    /// It is no text in UTF-8.
    Encoding(String),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
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
            Self::Encoding(found) => f.write_str(found),
        }
    }
}

/// Reads bytes. A UTF-8 byte order mark is passed over.
///
/// # Errors
/// Why it is not read.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    read(utf8(bytes).map_err(JsonError::Encoding)?)
}

/// Reads a text. A byte order mark is passed over.
///
/// # Errors
/// Why it is not read.
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    read(without_mark(text))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    let value = serde_json::from_str(text);
    // One beyond all bounds is an error of the library, too, but without its path.
    let out_of_range = value
        .as_ref()
        .err()
        .is_some_and(|error: &serde_json::Error| error.to_string().contains("out of range"));
    match (value, first_inexact(text)) {
        (Err(error), _) if !out_of_range => Err(JsonError::Unreadable(error)),
        (_, Some((at, number))) => {
            let end = number.floor_char_boundary(40);
            let shown = if end < number.len() {
                format!("{}…", &number[..end])
            } else {
                number.to_owned()
            };
            Err(JsonError::Inexact {
                path: path_of(text, at),
                number: shown,
            })
        }
        (value, None) => value.map_err(JsonError::Unreadable),
    }
}

/// The first number of a JSON text that is not held exactly, and where it begins.
fn first_inexact(text: &str) -> Option<(usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at),
            b'-' | b'0'..=b'9' => {
                let part =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = bytes[at..]
                    .iter()
                    .position(|byte| !part(byte))
                    .map_or(bytes.len(), |length| at + length);
                if !is_exact(&text[at..end]) {
                    return Some((at, &text[at..end]));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Where the string that begins at `at` has ended.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    at + 1
}

/// Where an open object or list is read.
enum Place<'a> {
    Member(&'a str),
    Item(usize),
}

/// The path of what begins at byte `end` of a JSON text.
fn path_of(text: &str, end: usize) -> String {
    let bytes = text.as_bytes();
    let (mut at, mut open): (usize, Vec<Place<'_>>) = (0, Vec::new());
    while at < end {
        match bytes[at] {
            b'"' => {
                let closed = string_end(bytes, at);
                // The value of a member may be a string as well; its name is the last one before
                // the colon.
                let is_name = bytes[closed..]
                    .iter()
                    .find(|byte| !byte.is_ascii_whitespace())
                    == Some(&b':');
                if let (true, Some(Place::Member(name))) = (is_name, open.last_mut()) {
                    *name = &text[at + 1..closed - 1];
                }
                at = closed;
                continue;
            }
            b'{' => open.push(Place::Member("")),
            b'[' => open.push(Place::Item(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some(Place::Item(index)) = open.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for place in open {
        match place {
            Place::Item(index) => path.push_str(&format!("[{index}]")),
            Place::Member(name) if path.is_empty() => path.push_str(name),
            Place::Member(name) => path.push_str(&format!(".{name}")),
        }
    }
    path.truncate(path.floor_char_boundary(200));
    path
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
    fn a_byte_order_mark_is_passed_over_once() {
        check(b"\xef\xbb\xbf{\"a\":1}", Ok(json!({"a": 1})));
        check(b"\xef\xbb\xbf\xef\xbb\xbf1", Err("line 1"));
        check(
            " {\"ä\": \"\u{feff}\"}".as_bytes(),
            Ok(json!({"ä": "\u{feff}"})),
        );
        check(b"\xef\xbb\xbf", Err("EOF"));
        check(b"7", Ok(json!(7)));
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
        check(b"{\"a\": \"\xe4\"}", Err("byte 7 is none"));
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
                r#"[{"a\"b" : {"c": "d"}, "e" : -9223372036854775809}]"#,
                "at `[0].e`",
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
}
