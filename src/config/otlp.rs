//! The destination of spans: the address of the collector, the headers of its requests, and the
//! sampled part of the traces.
//!
//! Not here: the content of a span, and sending it (`runtime::spans`).

use std::fmt;

use super::{ConfigError, Options};

/// The path for traces below a collector's address, according to the OTLP specification.
const TRACES: &str = "/v1/traces";

/// A collector of spans.
#[derive(Clone, PartialEq)]
pub struct Otlp {
    /// The address to which traces are posted.
    pub url: String,
    /// Headers of each request; their values are secret.
    pub headers: Vec<(String, String)>,
    /// The sampled part of the traces that begin here, from 0 to 1.
    pub part: f64,
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let mut shown = f.debug_struct("Otlp");
        shown.field("url", &self.url).field("headers", &names);
        shown.field("part", &self.part).finish()
    }
}

/// The collector, if one is configured.
pub(super) fn otlp(options: &Options) -> Result<Option<Otlp>, ConfigError> {
    let part = options.otlp_sample.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&part) {
        return Err(ConfigError(format!(
            "expected otlp-sample to be a part from 0 to 1, but it is {part}"
        )));
    }
    let Some(endpoint) = &options.otlp_endpoint else {
        return match options.otlp_headers.is_some() || options.otlp_sample.is_some() {
            true => Err(ConfigError(
                "expected otlp-headers and otlp-sample to go with otlp-endpoint, which names the \
                collector, but that is absent"
                    .into(),
            )),
            false => Ok(None),
        };
    };
    let is_http = ["http://", "https://"]
        .iter()
        .any(|scheme| endpoint.len() > scheme.len() && endpoint.starts_with(scheme));
    if !is_http || endpoint.contains(char::is_whitespace) {
        return Err(ConfigError(format!(
            "expected otlp-endpoint to be an address like http://localhost:4318, but it is \
            '{endpoint}'"
        )));
    }
    let base = endpoint.trim_end_matches('/');
    let url = match base.ends_with(TRACES) {
        true => base.to_owned(),
        false => format!("{base}{TRACES}"),
    };
    let headers = options
        .otlp_headers
        .iter()
        .flatten()
        .map(|text| header(text));
    Ok(Some(Otlp {
        url,
        headers: headers.collect::<Result<_, _>>()?,
        part,
    }))
}

/// Parses `name=value`, as in OpenTelemetry's variables. Error messages do not contain the value.
fn header(text: &str) -> Result<(String, String), ConfigError> {
    let wrong = |what: &str| {
        Err(ConfigError(format!(
            "expected otlp-headers to be name=value, separated by commas, but {what}"
        )))
    };
    let Some((name, value)) = text.split_once('=') else {
        return wrong("one has no '='");
    };
    let (name, value) = (name.trim(), value.trim());
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return wrong(&format!("'{name}' is no name of a header"));
    }
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return wrong(&format!(
            "the value of {name} holds other than printable ASCII"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}
