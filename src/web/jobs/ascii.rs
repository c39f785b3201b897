//! JSON in pure ASCII, and bodies in an older encoding: some clients read responses without a
//! `charset` as ISO-8859-1, and send bodies in it.

use std::{borrow::Cow, fmt::Write};

use actix_web::HttpResponse;
use serde::Serialize;

use crate::text::without_mark;

/// 200 with this value.
pub fn answer(value: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(json(value))
}

/// A value as JSON. Characters beyond ASCII occur in texts only, so each can be escaped.
pub fn json(value: &impl Serialize) -> String {
    // Values of this API have text keys, and serializers that do not fail.
    escaped(&serde_json::to_string(value).unwrap_or_default())
}

/// The same JSON without characters beyond ASCII.
pub fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for sign in json.chars() {
        if sign.is_ascii() {
            text.push(sign);
        } else {
            for unit in sign.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// The text of a body: UTF-8, with or without a byte order mark, or ISO-8859-1 if it is not valid
/// UTF-8.
pub fn text(body: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(without_mark(text)),
        Err(_) => Cow::Owned(body.iter().map(|byte| char::from(*byte)).collect()),
    }
}

#[test]
fn characters_beyond_ascii_are_escaped() {
    assert_eq!(json(&"grün 😀 \n"), r#""gr\u00fcn \ud83d\ude00 \n""#);
    assert_eq!(text("grün".as_bytes()), "grün");
    assert_eq!(text(b"gr\xfcn"), "grün");
}
