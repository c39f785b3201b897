//! Refusals under `/api/v1`: problems in JSON as everywhere, except for clients that are not signed
//! in.

use actix_web::{
    HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderValue},
    },
};

use super::ascii;
use crate::web::http::problem::HttpProblem;

/// A refusal of this API.
#[derive(Debug)]
pub struct Refused(HttpProblem);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.0.error_response();
        if response.status() != StatusCode::UNAUTHORIZED {
            let (head, body) = response.into_parts();
            // The body of a problem is completely in memory.
            let body = body.try_into_bytes().unwrap_or_default();
            return head.set_body(BoxBody::new(ascii::escaped(&String::from_utf8_lossy(
                &body,
            ))));
        }
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        response.set_body(BoxBody::new("Unauthorized"))
    }
}

impl From<HttpProblem> for Refused {
    fn from(problem: HttpProblem) -> Self {
        Self(problem)
    }
}
