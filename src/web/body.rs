//! Bodies of requests, read up to a limit.

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE},
    web::{Bytes, Payload},
};

use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::{
    limits,
    session::frames::{code::ErrorCode, spelling},
    text,
};

/// The body, at most `limit` bytes of it.
///
/// # Errors
/// 413 when it is longer, 400 when it breaks off.
pub async fn bytes(request: &HttpRequest, body: Payload, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            ErrorCode::TooLarge,
            format!("expected a body of at most {limit} bytes, but it is longer"),
        )
    };
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match body.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Problem::new(
            ErrorCode::BadRequest,
            format!("expected a whole body, but: {error}"),
        )),
        Err(_) => Err(too_large()),
    }
}

/// The text of a JSON body; `{}` when there is none. A byte order mark is passed over.
///
/// # Errors
/// As [`bytes()`], 415 when it is announced as something else, 400 when it is no UTF-8.
pub async fn json(request: &HttpRequest, body: Payload) -> Result<String, Problem> {
    let bytes = bytes(request, body, limits::REST_BODY_BYTES).await?;
    if bytes.is_empty() {
        return Ok("{}".to_owned());
    }
    if media_type(request).is_some_and(|media_type| media_type != "application/json") {
        return Err(Problem::unsupported_media_type("application/json"));
    }
    let refuse = |found| {
        Problem::new(
            ErrorCode::BadRequest,
            format!("expected JSON in UTF-8, but {found}"),
        )
    };
    text::utf8(&bytes).map(str::to_owned).map_err(refuse)
}

/// Reads JSON into a form, which is described in words. What the text holds is not repeated, as it
/// may be a password; names of its members are.
///
/// # Errors
/// 400 for other members, and for what is no such form.
pub fn read<T: DeserializeOwned>(text: &str, form: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| {
        let told = error.to_string();
        let wrong = unknown_name(&told).unwrap_or_else(|| {
            // The library's own sentence may quote what was sent.
            format!(
                "line {} column {} is something else",
                error.line(),
                error.column()
            )
        });
        Problem::new(
            ErrorCode::BadRequest,
            format!("expected {form}, but {wrong}"),
        )
    })
}

/// What is wrong when the library misses a name or does not know one: the name, and what to do.
/// Nothing of any other sentence of the library's.
pub fn unknown_name(told: &str) -> Option<String> {
    if let Some(missing) = told
        .strip_prefix("missing field ")
        .and_then(|rest| rest.split('`').nth(1))
    {
        return Some(format!("'{missing}' is missing"));
    }
    let names = told.strip_prefix("unknown field ")?;
    let mut names = names.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    Some(format!(
        "'{}' is none of its names: {}",
        unknown.escape_debug(),
        spelling::advice(unknown, names)
    ))
}

/// The media type a body is announced with, in lower case and without its parameters.
pub fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
    )
}
