//! A client of a proxy that terminates TLS.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{
    Method, RequestBuilder, Response,
    multipart::{Form, Part},
    redirect::Policy,
};
use serde_json::{Value, json};
use stepwire::{
    runtime::{clock::real_now, users::NewUser},
    web::http::server::Running,
};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::support;

/// How long a step may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Larger than the default limit of proxies.
const FILE_BYTES: usize = 3 * 1024 * 1024;

/// A client of the server behind a proxy.
pub struct Client<'a> {
    http: reqwest::Client,
    /// The origin of its pages.
    origin: String,
    server: &'a Running,
}

impl<'a> Client<'a> {
    /// A client that trusts the proxy's certificate.
    pub fn new(port: u16, server: &'a Running) -> Self {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .tls_danger_accept_invalid_certs(true)
            .timeout(TIMEOUT);
        Self {
            http: http.build().expect("a client"),
            origin: format!("https://localhost:{port}"),
            server,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Value {
        let answer = self
            .request(Method::POST, path)
            .bearer_auth(token)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.json().await.expect("JSON")
    }

    /// Pages, the API, and a missing page.
    pub async fn pages_and_problems(&self) {
        let get = async |path: &str, accept: &str| {
            let answer = self
                .request(Method::GET, path)
                .header("accept", accept)
                .send()
                .await
                .expect("an answer");
            (
                answer.status().as_u16(),
                answer.headers()["content-type"]
                    .to_str()
                    .unwrap_or_default()
                    .to_owned(),
            )
        };
        assert_eq!(
            get("/", "text/html").await,
            (200, "text/html; charset=utf-8".to_owned())
        );
        assert_eq!(get("/healthz", "*/*").await.0, 200);
        assert_eq!(
            get("/v1/nothing", "*/*").await,
            (404, "application/problem+json".to_owned())
        );
    }

    /// The cookie of a sign-in is for HTTPS only, and what changes something by it comes from the
    /// proxy's own pages.
    pub async fn sign_in_and_origins(&self) {
        let ada = NewUser {
            tenant: "default",
            name: "ada",
            password: "right",
            roles: &["admin".to_owned()],
        };
        self.server
            .runtime()
            .users
            .add(ada, real_now())
            .await
            .expect("a user");
        let form = "username=ada&password=right&to=%2Fdocs%2Fusers";
        let sign_in = |origin: &str| {
            let request = self
                .request(Method::POST, "/sign-in")
                .header("origin", origin);
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form)
                .send()
        };
        assert_eq!(
            sign_in("https://evil.example")
                .await
                .expect("an answer")
                .status(),
            403
        );
        let plain = self.origin.replace("https", "http");
        assert_eq!(
            sign_in(&plain).await.expect("an answer").status(),
            403,
            "a page that came over HTTP is another's"
        );
        let signed_in = sign_in(&self.origin).await.expect("an answer");
        assert_eq!(
            (
                signed_in.status().as_u16(),
                &signed_in.headers()["location"]
            ),
            (303, &"/docs/users".parse().unwrap())
        );
        let cookie = signed_in.headers()["set-cookie"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(cookie.contains("; Secure"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let start = |origin: &str| {
            let request = self
                .request(Method::POST, "/v1/instances")
                .header("cookie", &cookie)
                .header("origin", origin);
            request.json(&json!({"process": "onboarding"})).send()
        };
        assert_eq!(start(&self.origin).await.expect("an answer").status(), 201);
        assert_eq!(
            start("https://evil.example")
                .await
                .expect("an answer")
                .status(),
            403
        );
    }

    /// The websocket opens for the proxy's own pages, and frames go both ways.
    pub async fn websocket(&self) {
        let open = async |origin: &str| -> Response {
            let request = self
                .request(Method::GET, "/v1/ws")
                .header("origin", origin)
                .header("connection", "Upgrade");
            let request = request
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13");
            let request = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            request
                .header("sec-websocket-protocol", "stepwire.v1.json")
                .send()
                .await
                .expect("an answer")
        };
        assert_eq!(open("https://evil.example").await.status(), 403);
        let answer = open(&self.origin).await;
        assert_eq!(answer.status(), 101, "{answer:?}");
        let socket = answer.upgrade().await.expect("an upgrade");
        let mut socket = WebSocketStream::from_raw_socket(socket, Role::Client, None).await;
        for frame in [
            json!({"type": "hello"}),
            json!({"type": "start", "id": "1", "process": "onboarding"}),
        ] {
            socket
                .send(Message::text(frame.to_string()))
                .await
                .expect("the socket is open");
        }
        let reply = async {
            loop {
                let message = socket
                    .next()
                    .await
                    .expect("the socket is open")
                    .expect("a message");
                let frame: Value =
                    serde_json::from_str(message.to_text().unwrap_or_default()).unwrap_or_default();
                if frame["type"] == "reply" {
                    return frame;
                }
            }
        };
        let reply = timeout(TIMEOUT, reply).await.expect("a reply");
        assert_eq!(reply["result"]["status"], "started", "{reply}");
    }

    /// An event of a stream is there when it has happened, and not when there are enough of them.
    pub async fn stream(&self) {
        let token = support::token("alice", &[]);
        let key = self
            .post("/v1/instances", &token, json!({"process": "onboarding"}))
            .await["instance"]
            .clone();
        let key = key.as_str().expect("a key");
        let open = self
            .request(Method::GET, &format!("/v1/instances/{key}/stream"))
            .bearer_auth(&token)
            .send();
        let mut events = open.await.expect("a stream");
        let mut until = async |word: &str| {
            let mut text = String::new();
            while !text.contains(word) {
                let piece = timeout(TIMEOUT, events.chunk())
                    .await
                    .expect("in time")
                    .expect("no cut")
                    .expect("no end");
                text.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        until("snapshot").await;
        let client = json!({"firstName": "Ada", "lastName": "L", "email": "ada@example.org", "age": 36, "income": 52_000});
        let run = json!({"action": "save", "data": {"client": client}});
        self.post(&format!("/v1/instances/{key}/run"), &token, run)
            .await;
        until("\"node\":\"prepare\"").await;
    }

    /// A file above the default limit of proxies passes.
    pub async fn upload(&self) {
        let bring = json!({"name": "bring", "type": "uploadFile", "trigger": "manual",
            "params": {"destination": "document", "maxBytes": FILE_BYTES, "types": ["text/*"]}});
        let process = json!({
            "id": "letters",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
                {"id": "letter", "type": "userTask", "actions": [bring]}],
            "flows": [{"id": "f1", "source": "start", "target": "letter"}, {"id": "f2", "source": "letter", "target": "end"}],
        });
        self.post(
            "/v1/definitions?publish=true",
            &support::token("dora", &["designer"]),
            process,
        )
        .await;
        let token = support::token("alice", &[]);
        let key = self
            .post("/v1/instances", &token, json!({"process": "letters"}))
            .await["instance"]
            .clone();
        let path = format!(
            "/v1/instances/{}/upload?action=bring",
            key.as_str().expect("a key")
        );
        let file = Part::bytes(vec![b'x'; FILE_BYTES])
            .file_name("letter.txt")
            .mime_str("text/plain")
            .expect("a type");
        let request = self
            .request(Method::POST, &path)
            .bearer_auth(&token)
            .multipart(Form::new().part("file", file));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }
}
