//! The URL of a call: a text template in which no value can become another host, path segment or
//! parameter.
//!
//! Scheme and host are in the template, or one placeholder at its very beginning is the whole base
//! URL. Where a call may go is checked when it is sent (`runtime::http_calls`). Values in path and
//! query are percent-encoded.

use serde_json::Value;

use super::Mistake;
use crate::{
    limits::CALL_URL_BYTES,
    model::{
        template::{Builtins, Filled, TextTemplate, as_text},
        variables::Variables,
    },
};

/// A compiled URL.
#[derive(Debug)]
pub struct UrlTemplate(TextTemplate);

impl UrlTemplate {
    /// Compiles the param.
    ///
    /// # Errors
    /// The mistake in it.
    pub fn compile(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.is_empty() {
            let sentence = "expected the param `url`, but it is missing or empty; add it";
            return Err(("missing_param", sentence.to_owned()));
        }
        let template = TextTemplate::compile(text)
            .map_err(|error| ("invalid_template", format!("url, {error}")))?;
        if template.secrets().next().is_some() {
            return Err(super::secret_misplaced("url"));
        }
        let pieces: Vec<Option<&str>> = template.outline().collect();
        check_pieces(&pieces).map_err(|sentence| ("invalid_url", format!("url: {sentence}")))?;
        Ok(Self(template))
    }

    /// Scheme, host and port, if they are in the template.
    pub fn literal_base(&self) -> Option<&str> {
        let text = self.0.outline().next().flatten()?;
        let host = authority(text)?;
        let begins = text.find("://")? + 3;
        text.get(..begins + host.len())
    }

    /// Renders the URL.
    ///
    /// # Errors
    /// A sentence if a value is not allowed in its place.
    pub fn render(
        &self,
        variables: &Variables<'_>,
        builtins: &Builtins<'_>,
    ) -> Result<String, String> {
        let pieces: Vec<Filled<'_>> = self.0.fill(variables, builtins).collect();
        let mut url = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Filled::Literal(text) => url.push_str(text),
                Filled::Value(value) if index == 0 => url.push_str(&base(value, pieces.len() > 1)?),
                Filled::Value(value) => {
                    let text = as_text(value);
                    if text.is_empty() && !url.contains('?') {
                        return Err(
                            "expected a value for every placeholder in the path of `url`, \
                            but one is empty"
                                .to_owned(),
                        );
                    }
                    encode(&text, &mut url);
                }
                // Refused by `compile`.
                Filled::Secret(_) => {}
            }
        }
        if url.len() > CALL_URL_BYTES {
            return Err(format!(
                "expected an address of at most {CALL_URL_BYTES} bytes, but it has {}",
                url.len()
            ));
        }
        if climbs(&url) {
            return Err(
                "expected an address without the segments `.` and `..`, but it has one".to_owned(),
            );
        }
        Ok(url)
    }
}

/// Checks the parts of a URL that are known without data. `None` is a placeholder.
fn check_pieces(pieces: &[Option<&str>]) -> Result<(), String> {
    if pieces.iter().flatten().any(|text| {
        text.chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    }) {
        return Err(
            "expected an address without blanks and backslashes, but it has one; write %20 or %5C"
                .to_owned(),
        );
    }
    if pieces.iter().flatten().any(|text| text.contains('#')) {
        return Err(
            "expected an address without fragment, because fragments are never sent, but it has a \
            `#`; write %23"
                .to_owned(),
        );
    }
    match pieces {
        [None] => Ok(()),
        [None, Some(text), ..] if text.starts_with(['/', '?']) => Ok(()),
        [None, ..] => Err(
            "expected `/` or `?` behind a placeholder that stands for the base \
            address, but there is another character; add it"
                .to_owned(),
        ),
        [Some(text), rest @ ..] => {
            let host = authority(text).ok_or_else(|| {
                format!(
                    "expected an address like https://api.example.com/users, but it begins \
                    with `{text}`; correct it"
                )
            })?;
            check_authority(host)?;
            if !rest.is_empty()
                && !behind_scheme(text).is_some_and(|rest| rest.contains(['/', '?']))
            {
                return Err(
                    "expected the host to be written out, up to a `/`, but it has a placeholder; \
                    write it out, or put the whole base address into one placeholder"
                        .to_owned(),
                );
            }
            if climbs(text) {
                return Err(
                    "expected an address without the segments `.` and `..`, but it has one; write \
                    the final address"
                        .to_owned(),
                );
            }
            Ok(())
        }
        [] => Err("expected an address, but it is empty".to_owned()),
    }
}

fn check_authority(host: &str) -> Result<(), String> {
    if host.contains('@') {
        return Err(
            "expected an address without user and password, but it has some; use a header"
                .to_owned(),
        );
    }
    if host.is_empty()
        || !host
            .chars()
            .all(|c| c.is_alphanumeric() || "-._:[]".contains(c))
    {
        return Err(format!(
            "expected a host name, optionally with a port, but got `{host}`; correct it"
        ));
    }
    Ok(())
}

/// The text after `http://` or `https://`.
fn behind_scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(rest)
}

/// Host and port of a URL, as written.
pub fn authority(url: &str) -> Option<&str> {
    let rest = behind_scheme(url)?;
    Some(&rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())])
}

/// The value of a placeholder for the base URL, or for all of it.
fn base(value: &Value, continues: bool) -> Result<String, String> {
    let Value::String(text) = value else {
        return Err(
            "expected a text as base of `url`, but the data hold another value there".to_owned(),
        );
    };
    let text = text.trim();
    check_pieces(&[Some(text)])
        .map_err(|error| format!("in the data that `url` begins with: {error}"))?;
    if continues && text.contains('?') {
        return Err(
            "expected a base address without `?`, because the path follows it, but it has one"
                .to_owned(),
        );
    }
    Ok(if continues {
        text.trim_end_matches('/').to_owned()
    } else {
        text.to_owned()
    })
}

/// Whether a path contains a segment that leads up, in any notation.
fn climbs(url: &str) -> bool {
    let Some(rest) = behind_scheme(url) else {
        return false;
    };
    let path = rest.split('?').next().unwrap_or_default();
    path.split('/').skip(1).any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}

/// Writes a value so that it stays one path segment, or one parameter, whatever it contains.
fn encode(text: &str, url: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}
