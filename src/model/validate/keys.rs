//! Key lists: member paths, each once, with valid schemas.

use std::collections::HashMap;

use serde_json::Value;

use super::Report;
use crate::model::{action::Key, path::DataPath};

/// Checks the keys of `owner` (a start event or an action) at an element.
pub(super) fn check(element: &str, owner: &str, keys: &[Key], report: &mut Report) {
    check_paths(
        element,
        owner,
        "key",
        keys.iter().map(|key| key.path.as_str()),
        report,
    );
    for key in keys {
        if let Some(schema) = &key.schema
            && !matches!(schema, Value::Object(_) | Value::Bool(_))
        {
            let message = format!(
                "{owner}: expected a JSON Schema for key `{}`, but got {schema}; write an object",
                key.path
            );
            report.error(element, "invalid_schema", message);
        }
    }
}

/// Checks a list of member paths that are to differ.
pub(super) fn check_paths<'a>(
    element: &str,
    owner: &str,
    what: &str,
    paths: impl Iterator<Item = &'a str>,
    report: &mut Report,
) {
    let mut seen = HashMap::new();
    for (number, path) in (1..).zip(paths) {
        if let Err(sentence) = DataPath::parse_members(path) {
            report.error(
                element,
                "invalid_path",
                format!("{owner}, {what}: {sentence}"),
            );
        } else if let Some(first) = seen.insert(path, number) {
            let message = format!(
                "{owner}: expected each {what} once, but number {first} and number {number} are \
                both `{path}`; remove one"
            );
            report.error(element, "duplicate_key", message);
        }
    }
}
