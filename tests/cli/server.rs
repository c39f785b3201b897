//! A server with the processes of these tests, and the program on its data directory.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::users::program::{Ended, Site};

/// A file of these tests.
pub fn file(name: &str) -> String {
    format!("{}/tests/cli/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A server with the processes `decision`, `atOnce` and `failing`.
pub fn served() -> Site {
    let mut site = Site::new();
    site.start();
    site.run(
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
    site
}

/// Runs the program with `--json`; the one object it prints.
#[track_caller]
pub fn json(site: &Site, arguments: &[&str], status: i32) -> Value {
    let printed = site
        .run(&[arguments, &["--json", "-q"]].concat(), "")
        .ends(status)
        .0;
    serde_json::from_str(&printed)
        .unwrap_or_else(|error| panic!("expected one JSON object, but {error}: {printed}"))
}

/// Starts an instance; its key.
#[track_caller]
pub fn start(site: &Site, process: &str) -> String {
    json(site, &["start", process], 0)["instance"]
        .as_str()
        .expect("a start has an instance")
        .to_owned()
}

/// Starts the program and does not wait for it.
pub fn spawn(site: &Site, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwire"));
    command
        .args(arguments)
        .env("STEPWIRE_DATA", site.data())
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
