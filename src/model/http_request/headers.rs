//! The headers of a call: fixed names, with texts as values. Values cannot contain anything that
//! would end a header or the request.
//!
//! A secret is only a name here and in every record; the runtime inserts it when the call is sent.

use serde::{Deserialize, Serialize};

use super::Mistake;
use crate::{
    limits::{CALL_HEADER_BYTES, CALL_HEADERS},
    model::{
        template::{Builtins, Filled, Template, TextTemplate, as_text},
        variables::Variables,
    },
};

/// Headers that the server writes itself, or that control the connection.
const RESERVED: [&str; 14] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
    "cookie2",
    "idempotency-key",
];

/// The compiled headers.
#[derive(Debug, Default)]
pub struct HeaderTemplates(Vec<(String, TextTemplate)>);

/// A header as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// As the modeller wrote it.
    pub name: String,
    /// Its value, in order.
    pub value: Vec<HeaderPiece>,
}

/// A piece of a header's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeaderPiece {
    /// This text.
    #[serde(rename = "t")]
    Text(String),
    /// The secret of this name.
    #[serde(rename = "s")]
    Secret(String),
}

impl HeaderTemplates {
    /// Compiles the parameter.
    ///
    /// # Errors
    /// All mistakes.
    pub fn compile(text: Option<&str>) -> Result<Self, Vec<Mistake>> {
        let Some(text) = text else {
            return Ok(Self::default());
        };
        let template = Template::compile(text)
            .map_err(|error| vec![("invalid_template", format!("headers, {error}"))])?;
        let Some(members) = template.members() else {
            let sentence = "headers: expected a JSON object such as {\"Accept\": \
                \"text/plain\"}, but it is another value";
            return Err(vec![("invalid_value", sentence.to_owned())]);
        };
        let mut mistakes = Vec::new();
        if members.len() > CALL_HEADERS {
            let sentence = format!(
                "headers: expected at most {CALL_HEADERS}, but there are {}; send fewer",
                members.len()
            );
            mistakes.push(("invalid_value", sentence));
        }
        let mut headers: Vec<(String, TextTemplate)> = Vec::new();
        for (name, value) in members {
            if headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                mistakes.push((
                    "duplicate_header",
                    format!("headers: expected `{name}` once, but it is there twice; remove one"),
                ));
            }
            match check(name, value) {
                Ok(value) => headers.push((name.to_owned(), value)),
                Err(more) => mistakes.extend(more),
            }
        }
        if mistakes.is_empty() {
            Ok(Self(headers))
        } else {
            Err(mistakes)
        }
    }

    /// Names of the secrets that they use.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|(_, value)| value.secrets())
    }

    /// Renders the headers. One that is only a placeholder without a value is left out.
    ///
    /// # Errors
    /// A value that no header can have, as a sentence.
    pub fn render(
        &self,
        variables: &Variables<'_>,
        builtins: &Builtins<'_>,
    ) -> Result<Vec<Header>, String> {
        let render = |(name, template): &(String, TextTemplate)| {
            let value = value(template, variables, builtins)?;
            Some(sendable(name, &value).map(|()| Header {
                name: name.clone(),
                value,
            }))
        };
        self.0.iter().filter_map(render).collect()
    }
}

fn check(name: &str, value: Option<TextTemplate>) -> Result<TextTemplate, Vec<Mistake>> {
    let mut mistakes: Vec<Mistake> = Vec::new();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(is_token) {
        let sentence = format!(
            "headers: expected names of letters, digits and `-`, but got `{}`; rename it",
            name.escape_debug()
        );
        mistakes.push(("invalid_header", sentence));
    } else if RESERVED
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
    {
        let sentence = format!(
            "headers: expected no header that the server sets itself, but got `{name}`; remove it"
        );
        mistakes.push(("invalid_header", sentence));
    }
    let Some(value) = value else {
        mistakes.push((
            "invalid_header",
            format!("headers: expected a text as value of `{name}`, but it is not one; quote it"),
        ));
        return Err(mistakes);
    };
    for secret in value.secrets() {
        if secret.is_empty()
            || !secret
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        {
            let sentence = format!(
                "headers: expected a secret as ${{secret.NAME}}, its name of capital letters, \
                digits and `_`, but got `{secret}`"
            );
            mistakes.push(("invalid_secret", sentence));
        }
    }
    if value
        .outline()
        .flatten()
        .any(|text| text.chars().any(ends_a_header))
    {
        let sentence = format!(
            "headers: expected a value of `{name}` without line breaks, but it has one; remove it"
        );
        mistakes.push(("invalid_header", sentence));
    }
    if mistakes.is_empty() {
        Ok(value)
    } else {
        Err(mistakes)
    }
}

fn value(
    template: &TextTemplate,
    variables: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Option<Vec<HeaderPiece>> {
    let filled: Vec<Filled<'_>> = template.fill(variables, builtins).collect();
    if let [Filled::Value(value)] = &filled[..]
        && value.is_null()
    {
        return None;
    }
    let piece = |filled: Filled<'_>| match filled {
        Filled::Literal(text) => HeaderPiece::Text(text.to_owned()),
        Filled::Value(value) => HeaderPiece::Text(as_text(&value).into_owned()),
        Filled::Secret(name) => HeaderPiece::Secret(name),
    };
    Some(filled.into_iter().map(piece).collect())
}

fn sendable(name: &str, value: &[HeaderPiece]) -> Result<(), String> {
    let texts = || {
        value.iter().filter_map(|piece| {
            if let HeaderPiece::Text(text) = piece {
                Some(text)
            } else {
                None
            }
        })
    };
    if texts().any(|text| text.chars().any(ends_a_header)) {
        return Err(format!(
            "expected a value without control characters for header `{name}`, but the data put \
            one there"
        ));
    }
    let bytes: usize = texts().map(String::len).sum();
    if bytes > CALL_HEADER_BYTES {
        return Err(format!(
            "expected at most {CALL_HEADER_BYTES} bytes for header `{name}`, but it has {bytes}"
        ));
    }
    Ok(())
}

/// A tab is the one control character a header may hold.
fn ends_a_header(c: char) -> bool {
    c.is_control() && c != '\t'
}
