//! Refusals over HTTP: RFC 9457 problem details with the same codes as the frames.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde::Serialize;

use crate::{
    runtime::ask::Refusal,
    session::{answers::WireError, frames::code::ErrorCode},
};

/// A refusal as an HTTP answer.
#[derive(Debug)]
pub struct Problem(pub WireError);

impl Problem {
    /// A problem with a code and its sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(WireError::new(code, message))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: ErrorCode,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let Self(error) = self;
        let details = Details {
            r#type: format!("/docs/{}", error.code.page()),
            title: error.code.name(),
            status: error.code.http_status(),
            detail: &error.message,
            code: error.code,
            retryable: error.code.retryable(),
            reason: error.reason,
            fields: error.fields.as_ref(),
            seq: error.seq,
        };
        let body = serde_json::to_string(&details).unwrap_or_default();
        HttpResponse::build(self.status_code()).content_type("application/problem+json").body(body)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}
