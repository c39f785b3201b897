//! The program with its log in a file: started, used over HTTP, stopped, and its log read.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
};

use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::Value;
use stepwire::{
    runtime::clock::real_now,
    session::auth::token::{Identity, TokenSettings, Tokens},
};
use tempfile::TempDir;
use uuid::Uuid;

/// Signs the tokens.
pub const SECRET: &str = "a secret of the tests, long enough for any use";

/// A running program.
pub struct Program {
    child: Child,
    data: TempDir,
    base: String,
    output: Option<JoinHandle<String>>,
}

/// The output of a program.
pub struct Ended {
    /// Standard error.
    pub log: String,
    /// Standard output.
    pub output: String,
}

impl Program {
    /// Starts it and waits until it has printed its address.
    pub fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let log = File::create(data.path().join("log")).expect("a file for the log");
        let mut command = program(&data);
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--workers",
            "1",
            "--jwt-secret",
            SECRET,
            "--webhook-secret",
            SECRET,
        ]);
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let ready = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains("is ready at"));
        let ready = ready.unwrap_or_else(|| panic!("the program ended: {:?}", child.wait()));
        let (_, base) = ready
            .split_once("is ready at ")
            .expect("it was found by it");
        // In JSON the text ends with a quote.
        let base = base.split('"').next().unwrap_or_default().to_owned();
        let output = std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .fold(ready, |output, line| output + "\n" + &line)
        });
        Self {
            child,
            data,
            base,
            output: Some(output),
        }
    }

    /// Runs another command on its data directory.
    pub fn run(&self, arguments: &[&str]) -> Output {
        program(&self.data)
            .args(arguments)
            .output()
            .expect("the program runs")
    }

    /// A request with a token for these roles; without any it is a stranger's.
    pub fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        let request = client.request(method, format!("{}{path}", self.base));
        token
            .into_iter()
            .fold(request, |request, token| request.bearer_auth(token))
    }

    /// Sends a request and reads its answer.
    pub async fn send(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (
            status,
            serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or_default(),
        )
    }

    /// Its address, for a connection that is not made by an HTTP client.
    pub fn address(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
    }

    /// A path in its data directory.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Ends it as an operator would, and reads its output.
    pub fn end(mut self) -> Ended {
        let requested = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(requested.success() && self.child.wait().expect("it can be waited for").success());
        let log = std::fs::read_to_string(self.data.path().join("log")).expect("the log is text");
        let output = self
            .output
            .take()
            .and_then(|output| output.join().ok())
            .expect("its output was read");
        Ended { log, output }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(data: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwire"));
    command
        .env_remove("RUST_LOG")
        .env("STEPWIRE_DATA", data.path());
    command
}

/// A token for an hour.
pub fn token(subject: &str, roles: &[&str]) -> String {
    let roles = roles.iter().map(|&role| role.to_owned()).collect();
    let identity = Identity {
        subject: subject.to_owned(),
        roles,
        ..Identity::anonymous(Uuid::nil())
    };
    let settings = TokenSettings {
        secret: SECRET.to_owned(),
        issuer: None,
        audience: None,
    };
    Tokens::new(settings)
        .mint(&identity, real_now(), std::time::Duration::from_secs(3600))
        .expect("a token can be signed")
}
