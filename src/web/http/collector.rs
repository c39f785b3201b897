//! Sends spans to the collector that an operator names. Not here: the spans (`runtime::spans`).

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    config::Config,
    runtime::{
        Runtime,
        spans::{SpanSender, Spans},
    },
};

/// Sends spans from now on, if a collector is named.
///
/// # Errors
/// Why they cannot be sent, as a sentence.
pub(super) fn send_spans(
    config: &Config,
    runtime: &Runtime,
) -> Result<Option<(Spans, SpanSender)>, String> {
    let Some(otlp) = &config.otlp else {
        return Ok(None);
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &otlp.headers {
        let read = || {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        };
        let (name, value) = read().ok_or_else(|| {
            format!("expected otlp-headers that can be sent, but '{name}' cannot")
        })?;
        headers.insert(name, value);
    }
    let (spans, sender) = Spans::start(otlp.url.clone(), headers, otlp.part)?;
    runtime.send_spans(spans.clone());
    Ok(Some((spans, sender)))
}
