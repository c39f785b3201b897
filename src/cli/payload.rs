//! Data from the command line: a JSON object, given directly, in a file, or on standard input.

use std::{fs::File, io::Read};

use serde_json::{Map, Value};

use super::exit::Failure;
use crate::{
    limits,
    text::{self, json},
};

/// Reads the value of `--data-json`; if absent, there are no data.
///
/// # Errors
/// The text is not a JSON object, or the file cannot be read.
pub fn read(argument: Option<&str>) -> Result<Value, Failure> {
    let Some(argument) = argument else {
        return Ok(Value::Object(Map::new()));
    };
    let text = match (argument, argument.strip_prefix('@')) {
        ("-", _) => all("standard input", std::io::stdin())?,
        (_, Some(path)) => all(
            path,
            File::open(path).map_err(|error| unreadable(path, &error))?,
        )?,
        (text, None) => text.to_owned(),
    };
    match json::from_text(&text) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(Failure::usage(
            "expected --data-json to be a JSON object like {\"a\":1}, but it is another value",
        )),
        Err(error) => Err(Failure::usage(format!(
            "expected --data-json to be a JSON object like {{\"a\":1}}, @FILE, or - for standard \
            input, but: {error}"
        ))),
    }
}

fn all(place: &str, from: impl Read) -> Result<String, Failure> {
    // One byte more than the server accepts, so that the server reports the error itself.
    text::read_all(from, limits::REST_BODY_BYTES.get() as u64 + 1)
        .map_err(|error| unreadable(place, &error))
}

fn unreadable(place: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("expected to read data from {place}, but: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_objects_are_data() {
        assert_eq!(read(None).unwrap(), json!({}));
        assert_eq!(read(Some(r#"{"a":1}"#)).unwrap(), json!({"a": 1}));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.json");
        std::fs::write(&path, r#" {"b":2} "#).unwrap();
        assert_eq!(
            read(Some(&format!("@{}", path.display()))).unwrap(),
            json!({"b": 2})
        );
        std::fs::write(&path, "\u{feff}{\"b\":7615917337495251231}").unwrap();
        assert_eq!(
            read(Some(&format!("@{}", path.display()))).unwrap(),
            json!({"b": 7_615_917_337_495_251_231_i64})
        );
        std::fs::write(&path, b"\xff\xfe{\0}\0").unwrap();
        assert!(
            read(Some(&format!("@{}", path.display())))
                .unwrap_err()
                .message
                .contains("UTF-16")
        );
        let rounded = read(Some(r#"{"a":{"id":12345678901234567890123}}"#)).unwrap_err();
        assert!(
            rounded
                .message
                .contains("12345678901234567890123 at `a.id`"),
            "{}",
            rounded.message
        );
        for bad in ["[1]", "1", "", "{", "@/nowhere/at/all", "null"] {
            let failure = read(Some(bad)).unwrap_err();
            assert!(
                failure.message.starts_with("expected "),
                "{bad}: {}",
                failure.message
            );
        }
    }
}
