//! Refusals over HTTP: RFC 9457 problem details with the same codes as the frames.

use std::{collections::BTreeMap, fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    engine::Rejection,
    journal::StoreError,
    model::problem::Problem,
    runtime::instance_request::Refusal,
    session::{
        protocol::{code::ErrorCode, server::FieldEntry, wire_error::WireError},
        shared_rates::RateExceeded,
    },
};

/// When to try again after `busy`, in milliseconds: a full queue empties within a moment.
const BUSY_MS: u32 = 1_000;

/// A refusal as an HTTP response. Boxed, because every handler may return it.
#[derive(Debug)]
pub struct HttpProblem(Box<ProblemBody>);

#[derive(Debug)]
struct ProblemBody {
    /// The refused request and the reason, as in a frame.
    error: WireError,
    /// Replaces the status of the code.
    status: Option<StatusCode>,
    /// The allowed methods, for 405.
    allow: &'static str,
    /// The problems of a definition.
    problems: Vec<Problem>,
}

impl HttpProblem {
    /// A problem with a code and its sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        WireError::new(code, message).into()
    }

    /// 405: the path exists, but not for this method.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let sentence = format!(
            "expected one of the methods {allow} at this address, but the request has another"
        );
        Self::new(ErrorCode::BadRequest, sentence).with(|problem| {
            problem.status = Some(StatusCode::METHOD_NOT_ALLOWED);
            problem.allow = allow;
        })
    }

    /// 415: the body has a media type that is not accepted.
    pub fn unsupported_media_type(expected: &str) -> Self {
        let sentence = format!("expected a body with Content-Type {expected}, but it is another");
        Self::new(ErrorCode::BadRequest, sentence)
            .with(|problem| problem.status = Some(StatusCode::UNSUPPORTED_MEDIA_TYPE))
    }

    /// A definition that cannot be deployed, with all its problems.
    pub fn invalid_definition(problems: Vec<Problem>) -> Self {
        let found = match problems.len() {
            1 => "there is a problem".to_owned(),
            number => format!("there are {number} problems"),
        };
        let sentence = format!("expected a definition without errors, but {found}: see 'problems'");
        Self::new(ErrorCode::InvalidData, sentence).with(|problem| problem.problems = problems)
    }

    /// 429: a repeat may succeed after this time.
    pub fn rate_limited(after: Duration, message: impl Into<String>) -> Self {
        WireError::rate_limited(after, message).into()
    }

    /// The same with a more specific status than that of its code.
    pub fn with_status(self, status: StatusCode) -> Self {
        self.with(|problem| problem.status = Some(status))
    }

    fn with(mut self, change: impl FnOnce(&mut ProblemBody)) -> Self {
        change(&mut self.0);
        self
    }
}

/// A refusal (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem, example = json!({
    "type": "/docs/errors/not_found", "title": "not_found", "status": 404, "code": "not_found", "retryable": false,
    "detail": "expected an instance you may see, but there is none with this key; one that ended \
    long ago may have been deleted",
}))]
pub(in crate::web) struct Details<'a> {
    /// The page that explains the code.
    r#type: String,
    /// The code again, as a title.
    title: &'static str,
    /// The status of the response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The expected and the received value.
    detail: &'a str,
    /// From the stable list.
    code: ErrorCode,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// A reason within the code, with `action_not_available` and `busy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
    /// With `invalid_data`: the violations, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fields: Option<&'a BTreeMap<String, FieldEntry>>,
    /// With a stale `ifSeq`: the number the instance is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seq: Option<u64>,
    /// With an ambiguous action: the elements that offer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    elements: Option<&'a [String]>,
    /// With `rate_limited`: milliseconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    after_ms: Option<u32>,
    /// The problems of a definition.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    problems: &'a [Problem],
}

impl fmt::Display for HttpProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.error.message)
    }
}

impl ResponseError for HttpProblem {
    fn status_code(&self) -> StatusCode {
        let of_code = || {
            StatusCode::from_u16(self.0.error.code.http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        };
        self.0.status.unwrap_or_else(of_code)
    }

    fn error_response(&self) -> HttpResponse {
        let (
            ProblemBody {
                error,
                allow,
                problems,
                ..
            },
            status,
        ) = (&*self.0, self.status_code());
        let details = Details {
            r#type: format!("/docs/{}", error.code.page()),
            title: error.code.name(),
            status: status.as_u16(),
            detail: &error.message,
            code: error.code,
            retryable: error.code.retryable(),
            reason: error.reason,
            fields: error.fields.as_ref(),
            seq: error.seq,
            elements: error.elements.as_deref(),
            after_ms: error.after_ms,
            problems,
        };
        let mut response = HttpResponse::build(status);
        match error.code {
            ErrorCode::Unauthenticated => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            ErrorCode::TokenExpired => {
                response.insert_header((WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#));
            }
            _ => {}
        }
        let soon = (error.code == ErrorCode::Busy).then_some(BUSY_MS);
        if let Some(after_ms) = error.after_ms.or(soon) {
            response.insert_header((RETRY_AFTER, after_ms.div_ceil(1000).to_string()));
        }
        if !allow.is_empty() {
            response.insert_header((ALLOW, *allow));
        }
        response
            .content_type("application/problem+json")
            .body(serde_json::to_string(&details).unwrap_or_default())
    }
}

impl From<WireError> for HttpProblem {
    fn from(error: WireError) -> Self {
        Self(Box::new(ProblemBody {
            error,
            status: None,
            allow: "",
            problems: Vec::new(),
        }))
    }
}

impl From<RateExceeded> for HttpProblem {
    fn from(spent: RateExceeded) -> Self {
        WireError::from(spent).into()
    }
}

impl From<Refusal> for HttpProblem {
    fn from(refusal: Refusal) -> Self {
        WireError::from(refusal).into()
    }
}

impl From<Rejection> for HttpProblem {
    fn from(rejection: Rejection) -> Self {
        WireError::from(rejection).into()
    }
}

impl From<StoreError> for HttpProblem {
    fn from(error: StoreError) -> Self {
        log::error!("a request could not be answered: {error}");
        Self::new(
            ErrorCode::Internal,
            "expected to read the store, but it failed; the server's log has details",
        )
    }
}
