//! A server whose machine clock is set by a test, and users whose tokens are issued by that clock.

use std::{fs, os::unix::fs::FileExt, path::PathBuf, process::Command, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwire::{model::ids::Time, runtime::clock::real_now};
use tempfile::TempDir;
use tokio::time::timeout;
use uuid::Uuid;

use super::super::{
    server::{Installation, Server},
    socket::{Socket, SocketEvent, token_at},
};
use crate::engine::sketch;

/// The timeout of every wait, by the monotonic clock.
const TIMEOUT: Duration = Duration::from_secs(60);
/// An hour of tokens.
pub const HOUR: Duration = Duration::from_secs(3_600);

/// A server with its data directory, under a clock that can be set.
pub struct Stage {
    /// Its data directory and port.
    pub installation: Installation,
    place: TempDir,
    library: PathBuf,
    http: reqwest::Client,
}

impl Stage {
    /// A stage whose clock is right; `None` without a C compiler.
    pub fn new(options: &str) -> Option<Self> {
        let place = tempfile::tempdir().expect("a temporary directory");
        let library = place.path().join("clock.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/crash/clock_jumps/clock.c"
            ))
            .status();
        if !compiled.is_ok_and(|status| status.success()) {
            return None;
        }
        fs::write(place.path().join("ahead"), 0_i64.to_ne_bytes()).expect("the file is written");
        let mut installation = Installation::new();
        installation.set_arguments(options.split_whitespace());
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Some(Self {
            installation,
            place,
            library,
            http,
        })
    }

    /// Starts the server under the clock.
    pub fn start(&self) -> Server {
        let preload = format!("LD_PRELOAD={}", self.library.display());
        let ahead = format!("TEST_CLOCK_AHEAD={}", self.ahead_file().display());
        self.installation.start_under(&["env", &preload, &ahead])
    }

    fn ahead_file(&self) -> PathBuf {
        self.place.path().join("ahead")
    }

    fn ahead(&self) -> i64 {
        let bytes = fs::read(self.ahead_file()).expect("the file is read");
        i64::from_ne_bytes(bytes.try_into().expect("eight bytes"))
    }

    /// Changes the machine's clock by so many seconds, forward or back.
    pub fn set_by(&self, seconds: i64) {
        let ahead = self.ahead() + seconds;
        let file = fs::File::options().write(true).open(self.ahead_file());
        let written = file.and_then(|file| file.write_all_at(&ahead.to_ne_bytes(), 0));
        written.expect("the file is written");
    }

    /// The machine's clock.
    fn now(&self) -> Time {
        Time(real_now().0 + 1_000 * self.ahead())
    }

    /// A token of a user with these roles that is valid for this time.
    pub fn token(&self, user: &str, roles: &[&str], good_for: Duration) -> String {
        token_at(user, roles, self.now(), good_for)
    }

    /// A connection with this token.
    pub async fn connect(&self, token: &str) -> Socket {
        let welcomed = Socket::with_token(self.installation.port, token);
        within("a welcome", welcomed)
            .await
            .expect("the server runs")
    }

    /// Sends an HTTP request.
    pub async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let url = format!("http://127.0.0.1:{}{path}", self.installation.port);
        let request = self.http.request(method.clone(), url).bearer_auth(token);
        let request = match method {
            Method::GET => request,
            _ => request.json(body),
        };
        let answer = within(path, request.send()).await.expect("the server runs");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Deploys and publishes a process, as a sketch.
    pub async fn deploy(&self, process: &str) {
        let designer = self.token("designer", &["designer"], HOUR);
        let source = serde_json::to_value(sketch::definition(process)).expect("it is JSON");
        let path = "/v1/definitions?publish=true";
        let (status, answer) = self.ask(&designer, Method::POST, path, &source).await;
        assert!(status.is_success(), "{answer}");
    }

    /// Starts an instance.
    pub async fn run(&self, process: &str) -> String {
        let starter = self.token("starter", &[], HOUR);
        let start = json!({"process": process});
        let (status, answer) = self
            .ask(&starter, Method::POST, "/v1/instances", &start)
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["instance"].as_str().expect("a key").to_owned()
    }

    /// The status of an instance, as an operator reads it; `None` when it does not exist.
    pub async fn status(&self, instance: &str) -> Option<String> {
        let operator = self.token("watcher", &["operator"], HOUR);
        let path = format!("/v1/instances/{instance}");
        let (status, answer) = self.ask(&operator, Method::GET, &path, &Value::Null).await;
        match status {
            StatusCode::OK => Some(answer["status"].as_str().expect("a status").to_owned()),
            StatusCode::NOT_FOUND => None,
            other => panic!("{other}: {answer}"),
        }
    }

    /// The number of instances of a process.
    pub async fn count(&self, process: &str) -> usize {
        let operator = self.token("watcher", &["operator"], HOUR);
        let path = format!("/v1/instances?process={process}");
        let (status, answer) = self.ask(&operator, Method::GET, &path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["instances"].as_array().expect("a list").len()
    }

    /// Waits until an instance has finished.
    pub async fn finishes(&self, instance: &str) {
        let operator = self.token("watcher", &["operator"], HOUR);
        let mut socket = self.connect(&operator).await;
        let channel = format!("instance/{instance}");
        let subscribe = json!({"type": "subscribe", "id": "1", "channel": channel});
        socket.send(&subscribe).await.expect("the server runs");
        let is_over = |frame: &Value| frame["channel"] == channel && frame["status"] == "finished";
        within("the end of an instance", socket.wait_for(is_over)).await;
    }

    /// Waits until a condition is true for which no frame is sent.
    pub async fn wait_until<F: Future<Output = bool>>(&self, what: &str, is_so: impl Fn() -> F) {
        let asked = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        within(what, asked).await;
    }
}

/// A result within the timeout of these tests.
pub async fn within<T>(what: &str, comes: impl Future<Output = T>) -> T {
    let come = timeout(TIMEOUT, comes).await;
    come.unwrap_or_else(|_| panic!("expected {what} within {TIMEOUT:?}, but it has not come"))
}

/// Waits until the server has closed a connection; returns the close code.
pub async fn end_of(socket: &mut Socket) -> Option<u16> {
    let end = async {
        loop {
            if let SocketEvent::End(code) = socket.receive().await {
                return code;
            }
        }
    };
    within("the end of a connection", end).await
}

/// Sends a frame with its own id, and waits for the reply.
pub async fn answer(socket: &mut Socket, mut frame: Value) -> Value {
    let id = Uuid::now_v7().to_string();
    frame["id"] = json!(id);
    socket.send(&frame).await.expect("the server runs");
    within("an answer", socket.wait_for(|frame| frame["id"] == *id)).await
}
