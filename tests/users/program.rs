//! The program on a data directory: its commands and its server.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A data directory, and perhaps the server on it; killed when dropped.
pub struct Installation {
    data: TempDir,
    /// Where the server listens.
    pub port: u16,
    server: Option<Child>,
}

/// The outcome of a command.
pub struct Ended(pub Output);

impl Installation {
    /// An empty directory and a free port.
    pub fn new() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        Self {
            data,
            port,
            server: None,
        }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Starts the server and waits until it is ready.
    pub fn start(&mut self) {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = self.command(&["--listen", &listen, "--no-examples", "--workers", "1"]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let ready = lines.any(|line| line.is_ok_and(|line| line.contains("is ready at")));
        self.server = Some(child);
        assert!(ready, "the server did not come up");
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// Stops the server, as an operator would.
    pub fn stop(&mut self) {
        let mut child = self.server.take().expect("the server runs");
        let requested = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(requested.success() && child.wait().expect("it can be waited for").success());
    }

    /// Ends the server without a word.
    pub fn kill(&mut self) {
        let mut child = self.server.take().expect("the server runs");
        child.kill().expect("the server runs");
        child.wait().expect("it can be waited for");
    }

    /// Runs `stepwire user …`; commands that need a password read it from `input`.
    pub fn user(&self, arguments: &[&str], input: &str) -> Ended {
        let mut all = [&["user"], arguments].concat();
        if matches!(arguments[0], "add" | "passwd") {
            all.push("--password-stdin");
        }
        self.run(&all, input)
    }

    /// Runs the program with this input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command(arguments);
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        // A command that reads nothing may have ended already.
        let _ = child
            .stdin
            .take()
            .expect("its input is piped")
            .write_all(input.as_bytes());
        Ended(child.wait_with_output().expect("it can be waited for"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepwire"));
        command
            .args(arguments)
            .env("STEPWIRE_DATA", self.data())
            .env("RUST_LOG", "error");
        command
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(mut child) = self.server.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Ended {
    /// It succeeded and printed exactly this text.
    #[track_caller]
    pub fn succeeds(self, part: &str) -> String {
        let (output, errors) = self.texts();
        assert_eq!(self.0.status.code(), Some(0), "{errors}");
        assert!(output.contains(part), "{output}");
        output
    }

    /// It ended with this status; all it printed, and all it said on standard error.
    #[track_caller]
    pub fn ends(self, status: i32) -> (String, String) {
        let (output, errors) = self.texts();
        assert_eq!(self.0.status.code(), Some(status), "{output}{errors}");
        (output, errors)
    }

    /// It refused in a sentence with this in it.
    #[track_caller]
    pub fn refused(self, part: &str) {
        let (output, errors) = self.texts();
        assert_eq!((self.0.status.code(), &*output), (Some(1), ""), "{errors}");
        assert!(
            errors.starts_with("stepwire: expected ") && errors.contains(part),
            "{errors}"
        );
    }

    /// It explained how it is to be used.
    #[track_caller]
    pub fn is_wrong_usage(&self, part: &str) {
        let (output, errors) = self.texts();
        assert_eq!((self.0.status.code(), &*output), (Some(2), ""), "{errors}");
        assert!(errors.contains(part), "{errors}");
    }

    fn texts(&self) -> (String, String) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it speaks UTF-8");
        (text(&self.0.stdout), text(&self.0.stderr))
    }
}

/// Signs in: the token, or the status of the refusal.
pub async fn login(
    installation: &Installation,
    username: &str,
    password: &str,
) -> Result<String, u16> {
    let request =
        reqwest::Client::new().post(format!("http://127.0.0.1:{}/v1/login", installation.port));
    let answer = request
        .json(&json!({"username": username, "password": password}))
        .send()
        .await
        .expect("the server answers");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("JSON in any case");
    body["access_token"]
        .as_str()
        .map(str::to_owned)
        .ok_or(status)
}
