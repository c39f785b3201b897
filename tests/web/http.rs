//! A client for REST: requests as a user, answers as status and JSON.

use std::{net::IpAddr, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use crate::support;

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, unchanged.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null if it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header's text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Asserts a problem with this status and code, and that its sentence names `part`.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str, part: &str) -> &Self {
        let body = self.json();
        assert_eq!(
            (self.status.as_u16(), body["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], status);
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(
            detail.starts_with("expected ") && detail.contains(part),
            "{detail}"
        );
        self
    }
}

/// The media types that a browser accepts when a user opens a page.
pub const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A user of a server.
pub struct User<'a> {
    server: &'a Running,
    client: reqwest::Client,
    token: Option<String>,
}

impl<'a> User<'a> {
    /// A user with these roles.
    pub fn new(server: &'a Running, subject: &str, roles: &[&str]) -> Self {
        Self::with_token(server, Some(support::token(subject, roles)))
    }

    /// A user of another tenant.
    pub fn elsewhere(server: &'a Running, tenant: &str, subject: &str, roles: &[&str]) -> Self {
        Self::with_token(
            server,
            Some(support::token_in(
                tenant,
                subject,
                roles,
                Duration::from_secs(3600),
            )),
        )
    }

    /// A user with this token, or a stranger.
    pub fn with_token(server: &'a Running, token: Option<String>) -> Self {
        // A connection of its own for each request: one that was idle for long may just be closing.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0);
        let client = client.build().unwrap();
        Self {
            server,
            client,
            token,
        }
    }

    /// The same from another address of this machine.
    pub fn from_address(server: &'a Running, token: Option<String>, address: IpAddr) -> Self {
        let client = reqwest::Client::builder()
            .local_address(address)
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Self {
            server,
            client,
            token,
        }
    }

    /// A request to be completed and sent with [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.server.base_url()));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Gets.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Gets as a browser does.
    pub async fn browse(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path).header("accept", BROWSER)).await
    }

    /// Deploys a process and publishes it.
    pub async fn publish(&self, process: Value) {
        let deployed = self.post("/v1/definitions?publish=true", process).await;
        assert!(deployed.status.is_success(), "{deployed:?}");
    }

    /// Starts an instance; its key.
    pub async fn start(&self, process: &str, data: Value) -> String {
        let started = self
            .post("/v1/instances", json!({"process": process, "data": data}))
            .await;
        started.json()["instance"]
            .as_str()
            .unwrap_or_else(|| panic!("{started:?}"))
            .to_owned()
    }

    /// The members with this name of everything in a list, part by part.
    pub async fn whole(&self, path: &str, list: &str, member: &str) -> Vec<String> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let part = self.get(&format!("{path}{cursor}")).await;
            assert_eq!(part.status, 200, "{part:?}");
            let body = part.json();
            let entries = body[list].as_array().unwrap_or_else(|| panic!("{body}"));
            found.extend(
                entries
                    .iter()
                    .map(|entry| entry[member].as_str().unwrap_or_default().to_owned()),
            );
            let Some(next) = body["next"].as_str() else {
                return found;
            };
            cursor = format!(
                "{}cursor={next}",
                if path.contains('?') { "&" } else { "?" }
            );
        }
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// Starts the onboarding example and returns its key.
    pub async fn start_onboarding(&self) -> String {
        let started = self
            .post("/v1/instances", json!({"process": "onboarding"}))
            .await;
        assert_eq!(started.status, 201, "{started:?}");
        started.json()["instance"].as_str().unwrap().to_owned()
    }

    /// Sends good details to an onboarding instance.
    pub async fn save(&self, key: &str) -> Answer {
        self.post(
            &format!("/v1/instances/{key}/run"),
            json!({"action": "save", "data": details()}),
        )
        .await
    }
}

/// Data that the onboarding example accepts.
pub fn details() -> Value {
    json!({"client": {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.org", "age": 36, "income": 52_000}})
}

/// Sends a request and reads its answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer {
        status,
        headers,
        text: response.text().await.unwrap(),
    }
}
