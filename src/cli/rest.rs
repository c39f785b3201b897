//! Single requests over HTTP. Not here: commands that wait (`client`).

use std::time::Duration;

use reqwest::{Method, StatusCode, redirect::Policy};
use serde_json::Value;
use uuid::Uuid;

use super::{
    access::Access,
    exit::{Exit, Failure},
};

/// Time-out for connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// Time-out of a request.
const REQUEST: Duration = Duration::from_secs(60);

/// An HTTP client of one server.
pub struct Rest {
    http: reqwest::Client,
    access: Access,
}

/// A request body and its media type.
pub struct Body {
    /// Its `Content-Type`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Id of a command: the server executes the same id only once.
    pub id: Option<Uuid>,
}

impl Body {
    /// A command as JSON.
    pub fn command(value: &Value, id: Uuid) -> Self {
        Self {
            media_type: "application/json",
            bytes: value.to_string().into_bytes(),
            id: Some(id),
        }
    }
}

impl Rest {
    /// Creates a client of this server.
    ///
    /// # Errors
    /// The system has no usable certificates.
    pub fn new(access: Access) -> Result<Self, Failure> {
        // Without a proxy, as for the websocket: a proxy would see the token.
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(REQUEST);
        let http = builder.build().map_err(|error| {
            Failure::new(
                Exit::Unreachable,
                format!("expected to use HTTP, but: {error}"),
            )
        })?;
        Ok(Self { http, access })
    }

    /// The credentials, to be used by another client.
    pub fn into_access(self) -> Access {
        self.access
    }

    /// Uses this token if there was none so far.
    pub fn use_token(&mut self, token: &str) {
        self.access.use_token(token);
    }

    /// Gets JSON from an address.
    ///
    /// # Errors
    /// The problem, or no server.
    pub async fn get(&mut self, path: &str) -> Result<Value, Failure> {
        let bytes = self
            .send(Method::GET, path, "application/json", None)
            .await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            self.access
                .unreachable(&format!("it answers no JSON ({error})"))
        })
    }

    /// Gets the bytes at an address, of this media type.
    ///
    /// # Errors
    /// The problem, or no server.
    pub async fn get_as(&mut self, path: &str, media_type: &str) -> Result<Vec<u8>, Failure> {
        self.send(Method::GET, path, media_type, None).await
    }

    /// Sends a body and returns the JSON answer.
    ///
    /// # Errors
    /// The problem, or no server.
    pub async fn post(&mut self, path: &str, body: Body) -> Result<Value, Failure> {
        let bytes = self
            .send(Method::POST, path, "application/json", Some(body))
            .await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            self.access
                .unreachable(&format!("it answers no JSON ({error})"))
        })
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        accept: &str,
        body: Option<Body>,
    ) -> Result<Vec<u8>, Failure> {
        let mut renewed = false;
        loop {
            let mut request = self
                .http
                .request(method.clone(), self.access.url(path))
                .header("Accept", accept);
            if let Some(token) = self.access.token() {
                request = request.bearer_auth(token);
            }
            if let Some(Body {
                media_type,
                bytes,
                id,
            }) = &body
            {
                request = request
                    .header("Content-Type", *media_type)
                    .body(bytes.clone());
                if let Some(id) = id {
                    request = request.header("Idempotency-Key", id.to_string());
                }
            }
            let failed = |error: reqwest::Error| self.access.unreachable(&innermost(&error));
            let answer = request.send().await.map_err(failed)?;
            let status = answer.status();
            let bytes = answer.bytes().await.map_err(failed)?.to_vec();
            if status.is_success() {
                return Ok(bytes);
            }
            if status == StatusCode::UNAUTHORIZED && !renewed && self.access.renew().await? {
                renewed = true;
                continue;
            }
            return Err(match serde_json::from_slice::<Value>(&bytes) {
                Ok(problem) if problem["code"].is_string() => Failure::from_answer(&problem),
                _ => self.access.unreachable(&format!("it answers {status}")),
            });
        }
    }
}

/// The innermost cause of an error of the library; the outer ones only repeat it in other words.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// A path segment, with all special characters escaped.
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The query string of the values that are present.
pub fn query(values: &[(&str, Option<&str>)]) -> String {
    let given = values
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", segment((*value)?))));
    given.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_a_path_segment_are_escaped() {
        assert_eq!(segment("on/boarding ä?#"), "on%2Fboarding%20%C3%A4%3F%23");
        assert_eq!(
            query(&[("a", Some("x&y")), ("b", None), ("c", Some("1"))]),
            "a=x%26y&c=1"
        );
    }
}
