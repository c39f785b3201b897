//! The request of a call as it is sent: with secrets, and with the signature of a webhook. Made
//! again for every attempt.

use std::time::Duration;

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use super::{
    settings::{HttpCallSettings, unknown_secret},
    signature::sign,
};
use crate::{
    engine::{
        http_call::{HttpCallRequest, HttpRequest, WebhookRequest},
        trace::TraceContext,
    },
    model::http_request::{
        headers::{Header, HeaderPiece},
        status::StatusRanges,
    },
    runtime::clock::real_now,
};

/// The time of one attempt of a webhook.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// The request.
pub(super) struct WireRequest {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    /// For the whole attempt, including redirects and the response's body.
    pub timeout: Duration,
    pub success: StatusRanges,
}

impl WireRequest {
    /// The request of a call.
    ///
    /// # Errors
    /// A sentence about a setting of the server that is missing.
    pub fn of(
        request: &HttpCallRequest,
        trace: Option<&TraceContext>,
        settings: &HttpCallSettings,
    ) -> Result<Self, String> {
        let mut wire = match request {
            HttpCallRequest::Http(request) => Self::http(request, settings)?,
            HttpCallRequest::Webhook(request) => Self::webhook(request, settings)?,
        };
        if let Some(trace) = trace {
            wire.belongs_to(trace)?;
        }
        Ok(wire)
    }

    /// Adds the trace, unless the modeller has set its header.
    fn belongs_to(&mut self, trace: &TraceContext) -> Result<(), String> {
        if self.headers.contains_key(TRACE_PARENT) {
            return Ok(());
        }
        self.headers.insert(TRACE_PARENT, value(&trace.parent)?);
        if let Some(state) = &trace.state {
            self.headers.insert(TRACE_STATE, value(state)?);
        }
        Ok(())
    }

    fn http(request: &HttpRequest, settings: &HttpCallSettings) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static("idempotency-key"),
            value(&request.idempotency_key)?,
        );
        if request.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for header in &request.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let name = name
                .map_err(|_| format!("expected a header name, but `{}` is not one", header.name))?;
            headers.insert(name, filled(header, settings)?);
        }
        Ok(Self {
            method: Method::from_bytes(request.method.as_bytes())
                .map_err(|_| "expected a known method".to_owned())?,
            url: request.url.clone(),
            headers,
            body: request
                .body
                .as_ref()
                .map(|body| body.to_string().into_bytes()),
            timeout: Duration::from_millis(request.timeout_ms),
            success: request.success.clone(),
        })
    }

    fn webhook(request: &WebhookRequest, settings: &HttpCallSettings) -> Result<Self, String> {
        let body = request.body.to_string().into_bytes();
        // Receivers compare it with their own clocks, so it is not process time.
        let timestamp = real_now().0 / 1000;
        let signature =
            sign(&settings.webhook_key, &request.id, timestamp, &body).unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("webhook-id"), value(&request.id)?);
        headers.insert(
            HeaderName::from_static("webhook-timestamp"),
            value(&timestamp.to_string())?,
        );
        headers.insert(
            HeaderName::from_static("webhook-signature"),
            value(&signature)?,
        );
        let success = StatusRanges::compile(None)?;
        Ok(Self {
            method: Method::POST,
            url: request.url.clone(),
            headers,
            body: Some(body),
            timeout: WEBHOOK_TIMEOUT,
            success,
        })
    }
}

/// The value of a header with its secrets; never logged.
fn filled(header: &Header, settings: &HttpCallSettings) -> Result<HeaderValue, String> {
    let mut text = String::new();
    for piece in &header.value {
        match piece {
            HeaderPiece::Text(piece) => text.push_str(piece),
            HeaderPiece::Secret(name) => text.push_str(
                settings
                    .secrets
                    .get(name)
                    .ok_or_else(|| unknown_secret(name))?,
            ),
        }
    }
    // The message omits the value, which may be a secret.
    value(&text).map_err(|_| {
        format!(
            "expected a value without control characters for header `{}`, but it has one",
            header.name
        )
    })
}

fn value(text: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_bytes(text.as_bytes());
    let mut value = value
        .map_err(|_| "expected a header without control characters, but it has one".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
