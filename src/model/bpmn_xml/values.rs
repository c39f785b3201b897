//! Reads values of attributes and elements: words, booleans, integers, JSON. An invalid value is a
//! problem that names it.

use roxmltree::Node;
use serde_json::Value;

use super::{
    STEPWIRE_NAMESPACE,
    reader::Reader,
    xml::{self, filled},
};
use crate::text::json;

impl Reader<'_> {
    /// A required plain attribute; an absent one is reported and read as empty.
    pub(super) fn required(&mut self, node: Node<'_, '_>, element: &str, name: &str) -> String {
        let value = filled(node.attribute(name));
        if value.is_none() {
            let tag = node.tag_name().name();
            self.error(
                element,
                "missing_attribute",
                format!("expected `{name}` on the {tag}, but it is missing; add it"),
            );
        }
        value.unwrap_or_default().to_owned()
    }

    /// An attribute value that is one of some words; another word is reported and read as the first
    /// one.
    pub(super) fn word<T: Copy>(
        &mut self,
        element: &str,
        name: &str,
        value: Option<&str>,
        words: &[(&str, T)],
        absent: T,
    ) -> T {
        let Some(value) = filled(value) else {
            return absent;
        };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => *meaning,
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let expected = known.join("` or `");
                self.error(
                    element,
                    "invalid_value",
                    format!("expected `{name}` to be `{expected}`, but got `{value}`; correct it"),
                );
                absent
            }
        }
    }

    /// A boolean in the notation of XML Schema, not an empty text.
    pub(super) fn flag(
        &mut self,
        element: &str,
        name: &str,
        value: Option<&str>,
        absent: bool,
    ) -> bool {
        let Some(value) = value else {
            return absent;
        };
        xml::boolean(value).unwrap_or_else(|| {
            let message = format!(
                "expected `{name}` to be `true`, `false`, `1` or `0`, but {}; correct it",
                found(value)
            );
            self.error(element, "invalid_value", message);
            absent
        })
    }

    /// A boolean `stepwire:` attribute.
    pub(super) fn own_flag(
        &mut self,
        node: Node<'_, '_>,
        element: &str,
        name: &str,
        absent: bool,
    ) -> bool {
        let value = node.attribute((STEPWIRE_NAMESPACE, name));
        self.flag(element, &format!("stepwire:{name}"), value, absent)
    }

    /// An integer in the notation of XML Schema, not an empty text.
    pub(super) fn integer(
        &mut self,
        element: &str,
        name: &str,
        value: Option<&str>,
    ) -> Option<i64> {
        let value = value?;
        let number = xml::trimmed(value).parse().ok();
        if number.is_none() {
            self.error(
                element,
                "invalid_value",
                format!(
                    "expected `{name}` to be an integer, but {}; correct it",
                    found(value)
                ),
            );
        }
        number
    }

    /// A JSON list of strings.
    pub(super) fn list(
        &mut self,
        element: &str,
        name: &str,
        value: Option<&str>,
    ) -> Option<Vec<String>> {
        let value = filled(value)?;
        let list = serde_json::from_str(value).ok();
        if list.is_none() {
            let message = format!(
                "expected `{name}` to be a JSON list such as [\"client\"], but got `{value}`; \
                correct it"
            );
            self.error(element, "invalid_value", message);
        }
        list
    }

    /// Any JSON text.
    pub(super) fn json(&mut self, element: &str, name: &str, text: &str) -> Option<Value> {
        json::from_text(text)
            .map_err(|error| {
                let message = format!("expected JSON in `{name}`, but {error}; correct it");
                self.error(element, error.problem_code(), message);
            })
            .ok()
    }
}

fn found(value: &str) -> String {
    match xml::trimmed(value) {
        "" => "it is empty".to_owned(),
        value => format!("got `{value}`"),
    }
}
