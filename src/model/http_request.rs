//! The `httpRequest` action type: its parameters, and its compiled form.
//!
//! `url` and `headers` have the templates of the two parts that are not JSON. Not here: when a call
//! is made and the effects of its response (`engine::http_call`); where calls may go, and how they
//! are made (`runtime::http_calls`).

pub mod headers;
pub mod status;
pub mod url;

use serde::{Deserialize, Serialize};

use self::{headers::HeaderTemplates, status::StatusRanges, url::UrlTemplate};
use super::{path::DataPath, template::Template};
use crate::{
    duration,
    limits::{CALL_FIRST_PAUSE, CALL_RETRIES, CALL_TIMEOUT},
};

/// Allowed methods, and whether each may have a body.
const METHODS: [(&str, bool); 6] = [
    ("GET", false),
    ("HEAD", false),
    ("POST", true),
    ("PUT", true),
    ("PATCH", true),
    ("DELETE", true),
];
const DEFAULT_METHOD: &str = "GET";
const DEFAULT_TIMEOUT: &str = "PT10S";
const DEFAULT_RETRIES: i64 = 3;
const DEFAULT_BACKOFF: &str = "PT1S";

/// The parameters of an `httpRequest` action as the modeller wrote them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpRequestParams {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    #[serde(default = "default_method")]
    pub method: String,
    /// Text template of the URL.
    pub url: String,
    /// JSON template of an object: fixed names, texts as values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<String>,
    /// JSON template of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// ISO 8601 duration of one attempt, at most.
    #[serde(default = "default_timeout")]
    pub timeout: String,
    /// How often a failed attempt is repeated.
    #[serde(default = "default_retries")]
    pub retries: i64,
    /// ISO 8601 duration of the pause before the first retry; each further pause is twice as long.
    #[serde(default = "default_backoff")]
    pub backoff: String,
    /// Statuses that count as success, such as `2xx` or `404`; absent = `2xx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Vec<String>>,
    /// Path in the data for the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_key: Option<String>,
    /// Template over `{status, headers, body}` that makes the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// The default method.
pub fn default_method() -> String {
    DEFAULT_METHOD.to_owned()
}

/// The default timeout.
pub fn default_timeout() -> String {
    DEFAULT_TIMEOUT.to_owned()
}

/// The default number of retries.
pub fn default_retries() -> i64 {
    DEFAULT_RETRIES
}

/// The default first pause.
pub fn default_backoff() -> String {
    DEFAULT_BACKOFF.to_owned()
}

/// A compiled `httpRequest`.
#[derive(Debug)]
pub struct HttpCall {
    /// In upper case.
    pub method: String,
    /// Its URL.
    pub url: UrlTemplate,
    /// Its headers.
    pub headers: HeaderTemplates,
    /// Its body as JSON; if absent, it has none.
    pub body: Option<Template>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
    /// How often a failed attempt is repeated.
    pub retries: u32,
    /// The pause before the first retry, in milliseconds.
    pub backoff_ms: u64,
    /// Statuses that count as success.
    pub success: StatusRanges,
    /// The path for the result; if absent, an `output` is merged as it is.
    pub output_key: Option<DataPath>,
    /// Makes the result; if absent, the result is the response's body.
    pub output: Option<Template>,
}

impl HttpCall {
    /// Whether the result needs the response's body as a value.
    pub fn needs_body(&self) -> bool {
        match &self.output {
            Some(output) => output
                .paths()
                .any(|path| path.to_string().split(['.', '[']).next() == Some("body")),
            None => self.output_key.is_some(),
        }
    }
}

/// A mistake in the parameters: its stable code, and the expected value.
pub type Mistake = (&'static str, String);

impl HttpRequestParams {
    /// Compiles the parameters.
    ///
    /// # Errors
    /// All mistakes.
    pub fn compile(&self) -> Result<HttpCall, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut noted = |mistake: Mistake| mistakes.push(mistake);
        if let Err(mistake) = self.check_method() {
            noted(mistake);
        }
        let url = UrlTemplate::compile(&self.url).map_err(&mut noted).ok();
        let headers = HeaderTemplates::compile(self.headers.as_deref())
            .map_err(|many| many.into_iter().for_each(&mut noted))
            .ok();
        let body = json(self.body.as_deref(), "body").map_err(&mut noted).ok();
        let output = json(self.output.as_deref(), "output")
            .map_err(&mut noted)
            .ok();
        if self.output_key.is_none() && output.iter().flatten().any(|output| !output.is_object()) {
            let sentence = "expected `output` to be a JSON object, as it is merged into the \
                data, but it is another value; add `outputKey`, or write {…}";
            noted(("output_not_object", sentence.to_owned()));
        }
        let output_key = self
            .output_key
            .as_deref()
            .map(DataPath::parse_members)
            .transpose();
        let output_key = output_key
            .map_err(|sentence| noted(("invalid_path", format!("outputKey: {sentence}"))))
            .ok();
        let success = StatusRanges::compile(self.success.as_deref())
            .map_err(|error| noted(("invalid_value", error)))
            .ok();
        let timeout_ms = span("timeout", &self.timeout, CALL_TIMEOUT)
            .map_err(&mut noted)
            .ok();
        let backoff_ms = span("backoff", &self.backoff, CALL_FIRST_PAUSE)
            .map_err(&mut noted)
            .ok();
        let retries = self.checked_retries().map_err(&mut noted).ok();
        let compiled = || {
            Some(HttpCall {
                method: self.method.clone(),
                url: url?,
                headers: headers?,
                body: body?,
                timeout_ms: timeout_ms?,
                retries: retries?,
                backoff_ms: backoff_ms?,
                success: success?,
                output_key: output_key?,
                output: output?,
            })
        };
        let call = compiled();
        call.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }

    /// The method must be known, and only some methods have a body.
    fn check_method(&self) -> Result<(), Mistake> {
        let method = &self.method;
        let Some((_, takes_body)) = METHODS.iter().find(|(name, _)| *name == *method) else {
            let known = METHODS.map(|(name, _)| name).join(", ");
            let sentence =
                format!("expected `method` to be one of {known}, but got `{method}`; correct it");
            return Err(("invalid_value", sentence));
        };
        if !takes_body && self.body.is_some() {
            let sentence =
                format!("expected no body with {method}, but there is one; use POST, or remove it");
            return Err(("misplaced_body", sentence));
        }
        Ok(())
    }

    fn checked_retries(&self) -> Result<u32, Mistake> {
        let retries = u32::try_from(self.retries).ok();
        retries.filter(|it| *it <= CALL_RETRIES).ok_or_else(|| {
            let sentence = format!(
                "expected `retries` from 0 to {CALL_RETRIES}, but got {}; correct it",
                self.retries
            );
            ("invalid_value", sentence)
        })
    }
}

fn json(text: Option<&str>, what: &str) -> Result<Option<Template>, Mistake> {
    let Some(text) = text else { return Ok(None) };
    let template = Template::compile(text)
        .map_err(|error| ("invalid_template", format!("{what}, {error}")))?;
    let holds_secret = template.secrets().next().is_some();
    if holds_secret {
        Err(secret_misplaced(what))
    } else {
        Ok(Some(template))
    }
}

/// A secret in a place where it would be recorded.
fn secret_misplaced(what: &str) -> Mistake {
    (
        "misplaced_secret",
        format!(
            "{what}: expected ${{secret.NAME}} in values of `headers` only, but got it here; \
            move it there"
        ),
    )
}

fn span(what: &str, text: &str, maximum: std::time::Duration) -> Result<u64, Mistake> {
    let length = duration::parse(text)
        .ok()
        .and_then(|span| duration::length(&span).ok());
    let ms = length.and_then(|length| u64::try_from(length.as_millis()).ok());
    ms.filter(|ms| *ms > 0 && u128::from(*ms) <= maximum.as_millis())
        .ok_or_else(|| {
            let sentence = format!(
                "expected `{what}` as ISO 8601 duration such as PT10S, at most {} seconds, but got \
            `{text}`; correct it",
                maximum.as_secs()
            );
            ("invalid_value", sentence)
        })
}

#[cfg(test)]
mod tests;
