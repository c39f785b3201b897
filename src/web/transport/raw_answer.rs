//! Responses that are written without the HTTP library: for peers that have not sent a complete
//! request, or are refused a connection.

use std::{fmt::Write, sync::LazyLock};

use actix_web::{
    ResponseError,
    body::MessageBody,
    http::{StatusCode, header::HeaderMap},
};

use super::super::http::problem::HttpProblem;
use crate::{limits, session::protocol::code::ErrorCode};

/// 503: the address, or the server, has too many connections.
pub fn too_many_connections() -> &'static [u8] {
    static ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        written(&HttpProblem::new(
            ErrorCode::Busy,
            "expected capacity for one more connection, but there is none: close idle ones, or try \
            again in a moment",
        ))
    });
    &ANSWER
}

/// 408: the head of a request did not come in time.
pub fn slow_head() -> &'static [u8] {
    static ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let sentence = format!(
            "expected the head of a request within {} s, but it has not arrived: send it again",
            limits::REQUEST_HEAD.get().as_secs()
        );
        written(
            &HttpProblem::new(ErrorCode::BadRequest, sentence)
                .with_status(StatusCode::REQUEST_TIMEOUT),
        )
    });
    &ANSWER
}

/// 431: the head of a request is too long.
pub fn long_head() -> &'static [u8] {
    static ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let sentence = format!(
            "expected a request whose head has at most {} bytes, but it is longer: send fewer or \
            shorter headers",
            limits::READ_AHEAD_BYTES
        );
        written(
            &HttpProblem::new(ErrorCode::TooLarge, sentence)
                .with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        )
    });
    &ANSWER
}

fn written(problem: &HttpProblem) -> Vec<u8> {
    let (response, body) = problem.error_response().into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {}\r\n", response.status());
    add_headers(&mut text, response.headers());
    let length = body.len();
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [text.as_bytes(), &body].concat()
}

fn add_headers(text: &mut String, headers: &HeaderMap) {
    for (name, value) in headers {
        let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
}
