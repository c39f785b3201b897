//! Turns a response into values: its headers as texts, its body as JSON or text. Never reads more
//! than allowed.

use reqwest::{
    Response as HttpResponse,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Map, Value};

use crate::{
    engine::http_call::Response,
    limits::{CALL_ANSWER_BYTES, CALL_ANSWER_HEADER_BYTES, JSON_DEPTH},
    model::deep_merge::exceeds_depth,
    text::{
        self,
        json::{self, JsonError},
    },
};

/// Why a response could not be read.
pub(super) enum Unread {
    /// The connection broke.
    Broken(reqwest::Error),
    /// It is larger than allowed; the text says by which limit.
    TooLarge(String),
}

/// Reads a response.
pub(super) async fn read(mut answer: HttpResponse) -> Result<Response, Unread> {
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let header_bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if header_bytes > CALL_ANSWER_HEADER_BYTES {
        let sentence = format!(
            "expected headers of at most {CALL_ANSWER_HEADER_BYTES} bytes, but there are more"
        );
        return Err(Unread::TooLarge(sentence));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Unread::Broken)? {
        if bytes.len() + chunk.len() > CALL_ANSWER_BYTES {
            return Err(Unread::TooLarge(format!(
                "expected a body of at most {CALL_ANSWER_BYTES} bytes, but it is longer"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Response {
        status,
        headers: as_values(&headers),
        body: body(&headers, &bytes),
    })
}

/// Repeated headers are joined, separated by commas.
fn as_values(headers: &HeaderMap) -> Value {
    let value = |name| {
        let all = headers.get_all(name).iter();
        all.map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    headers
        .keys()
        .map(|name| (name.as_str().to_owned(), Value::String(value(name))))
        .collect::<Map<_, _>>()
        .into()
}

fn body(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, String> {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let encoding = header(CONTENT_ENCODING);
    if !matches!(&*encoding, "" | "identity") {
        return Err(format!(
            "expected an answer without content encoding, because none was requested, but it is \
            {encoding}"
        ));
    }
    let content_type = header(CONTENT_TYPE);
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let plain = || {
        let text = text::utf8(bytes).map(|text| Value::String(text.to_owned()));
        text.map_err(|found| {
            format!(
                "expected an answer of JSON or text in UTF-8, but of this one, of type \
                '{media_type}', {found}"
            )
        })
    };
    if media_type == "application/json" || media_type.ends_with("+json") {
        return read_json(bytes);
    }
    // A body without a type is JSON if it can be parsed; JSON that would lose digits is not taken
    // for text.
    let is_text = || {
        let read = json::from_bytes::<Value>(bytes);
        matches!(read, Err(JsonError::Unreadable(_) | JsonError::Encoding(_)))
    };
    if media_type.is_empty() && !is_text() {
        read_json(bytes)
    } else {
        plain()
    }
}

fn read_json(bytes: &[u8]) -> Result<Value, String> {
    let value: Value = json::from_bytes(bytes)
        .map_err(|error| format!("expected JSON in the answer, but {error}"))?;
    if exceeds_depth(&value, JSON_DEPTH) {
        return Err(format!(
            "expected JSON of at most {JSON_DEPTH} levels in the answer, but it is deeper"
        ));
    }
    Ok(value)
}
