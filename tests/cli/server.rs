//! A server with the processes of these tests, and the program on its data directory.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::users::program::{Ended, Installation};

/// A file of these tests.
pub fn file(name: &str) -> String {
    format!("{}/tests/cli/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A server with the processes `decision`, `atOnce` and `failing`.
pub fn served() -> Installation {
    let mut installation = Installation::new();
    installation.start();
    installation
        .run(
            &[
                "deploy",
                &file("decision.bpmn"),
                &file("ends.bpmn"),
                "--publish",
                "-q",
            ],
            "",
        )
        .ends(0);
    installation
}

/// Runs the program with `--json`; the one object it prints.
#[track_caller]
pub fn json(installation: &Installation, arguments: &[&str], status: i32) -> Value {
    let printed = installation
        .run(&[arguments, &["--json", "-q"]].concat(), "")
        .ends(status)
        .0;
    serde_json::from_str(&printed)
        .unwrap_or_else(|error| panic!("expected one JSON object, but {error}: {printed}"))
}

/// Starts an instance; its key.
#[track_caller]
pub fn start(installation: &Installation, process: &str) -> String {
    json(installation, &["start", process], 0)["instance"]
        .as_str()
        .expect("a start has an instance")
        .to_owned()
}

/// Starts the program and does not wait for it.
pub fn spawn(installation: &Installation, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwire"));
    command
        .args(arguments)
        .env("STEPWIRE_DATA", installation.data())
        .env("RUST_LOG", "error");
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits for a spawned program.
#[track_caller]
pub fn ended(child: Child, status: i32) -> (String, String) {
    Ended(child.wait_with_output().expect("it can be waited for")).ends(status)
}
