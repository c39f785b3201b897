//! Data of the command line: a JSON object, written there, in a file, or on standard input.

use std::{fs::File, io::Read};

use serde_json::{Value, json};

use super::exit::Failure;
use crate::limits;

/// Reads what `--data-json` names; absent, it is no data.
///
/// # Errors
/// Text that is no JSON object, or a file that cannot be read.
pub fn read(argument: Option<&str>) -> Result<Value, Failure> {
    let Some(argument) = argument else { return Ok(json!({})) };
    let text = match (argument, argument.strip_prefix('@')) {
        ("-", _) => all("standard input", std::io::stdin())?,
        (_, Some(path)) => all(path, File::open(path).map_err(|error| unreadable(path, &error))?)?,
        (text, None) => text.to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(Failure::usage("expected --data-json to be a JSON object like {\"a\":1}, but it is another value")),
        Err(error) => Err(Failure::usage(format!(
            "expected --data-json to be a JSON object like {{\"a\":1}}, @FILE, or - for standard input, but: {error}"
        ))),
    }
}

fn all(place: &str, from: impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    // One byte more than the server takes: it says so itself.
    from.take(limits::REST_BODY_BYTES as u64 + 1).read_to_string(&mut text).map_err(|error| unreadable(place, &error))?;
    Ok(text)
}

fn unreadable(place: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("expected to read data from {place}, but: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_are_data() {
        assert_eq!(read(None).unwrap(), json!({}));
        assert_eq!(read(Some(r#"{"a":1}"#)).unwrap(), json!({"a": 1}));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.json");
        std::fs::write(&path, r#" {"b":2} "#).unwrap();
        assert_eq!(read(Some(&format!("@{}", path.display()))).unwrap(), json!({"b": 2}));
        for bad in ["[1]", "1", "", "{", "@/nowhere/at/all", "null"] {
            let failure = read(Some(bad)).unwrap_err();
            assert!(failure.message.starts_with("expected "), "{bad}: {}", failure.message);
        }
    }
}
