//! Other people's tools against the documents: validators, and generators whose clients compile and
//! work against a server.
//!
//! Needs Node, and the Python packages of `clients/requirements.txt`: their programs on the path.
//! Without them a test says by name that it was skipped, unless `STEPWIRE_TEST=all`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use stepwire::web::openapi::{self, asyncapi};
use tempfile::TempDir;

use crate::{
    support::node::{self, skip},
    wire::{Server, server::token},
};

const FOLDER: &str = "tests/contract/clients";

/// A directory with both documents.
fn documents() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, document) in [
        ("openapi.json", openapi::document()),
        ("asyncapi.json", asyncapi::document()),
    ] {
        fs::write(directory.path().join(name), document.to_string())
            .expect("a document can be written");
    }
    directory
}

/// Whether all programs are there.
fn are_installed(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let version = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        version.is_ok_and(|status| status.success())
    })
}

/// Runs a program in a directory; returns its output.
#[track_caller]
fn run(directory: &Path, command: &mut Command) -> String {
    let output = command
        .current_dir(directory)
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let documented = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{documented}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    documented
}

/// The observations of a client in its round trip.
#[track_caller]
fn check_round_trip(printed: &str, via: &str) {
    let seen: Value =
        serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    let expected = json!({
        "duplicate": false, "status": "started", "nodes": seen["nodes"], "view": seen["view"], "listed": [true],
        "refused": "action_not_available",
    });
    assert_eq!(seen, expected, "{via}");
    assert!(
        seen["nodes"][0].is_string() && seen["view"]["contract"]["for"] == "Ada Lovelace",
        "{seen}"
    );
}

#[test]
fn the_openapi_document_is_valid() {
    if !are_installed(&["openapi-spec-validator"]) {
        return skip("openapi-spec-validator", "the Python package is missing");
    }
    run(
        documents().path(),
        Command::new("openapi-spec-validator").arg("openapi.json"),
    );
}

#[test]
fn the_asyncapi_document_is_valid() {
    if let Err(missing) = node::prepare(FOLDER) {
        return skip("the parser of AsyncAPI", &missing);
    }
    let directory = documents();
    let document = directory.path().join("asyncapi.json");
    let documented = run(
        &node::folder(FOLDER),
        Command::new("node").arg("asyncapi.mjs").arg(document),
    );
    assert_eq!(documented, "");
}

#[test]
fn a_generated_typescript_client_works() {
    if let Err(missing) = node::prepare(FOLDER) {
        return skip("openapi-typescript", &missing);
    }
    let (folder, directory) = (node::folder(FOLDER), documents());
    let place = directory.path();
    for name in ["package.json", "tsconfig.json", "round-trip.ts"] {
        fs::copy(folder.join(name), place.join(name)).expect("a file can be copied");
    }
    std::os::unix::fs::symlink(folder.join("node_modules"), place.join("node_modules"))
        .expect("a link can be made");
    let package = |name: &str| folder.join("node_modules").join(name);
    let generator = package("openapi-typescript/bin/cli.js");
    run(
        place,
        Command::new("node")
            .arg(generator)
            .args(["openapi.json", "--output", "api.ts"]),
    );
    run(
        place,
        Command::new("node").arg(package("typescript/bin/tsc")),
    );
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let printed = run(
        place,
        Command::new("node").args(["built/round-trip.js", &address, &token("alice")]),
    );
    check_round_trip(&printed, "openapi-typescript");
}

#[test]
fn a_generated_python_client_works() {
    if !are_installed(&["openapi-python-client", "mypy", "python3"]) {
        return skip(
            "openapi-python-client",
            "the Python package, or mypy, is missing",
        );
    }
    let directory = documents();
    let place = directory.path();
    fs::copy(
        node::folder(FOLDER).join("round_trip.py"),
        place.join("round_trip.py"),
    )
    .expect("a file can be copied");
    // As it makes it: a linter that happens to be installed would change it.
    fs::write(place.join("config.yaml"), "post_hooks: []\n").expect("a file can be written");
    let generated = [
        "--path",
        "openapi.json",
        "--output-path",
        "api",
        "--meta",
        "none",
        "--config",
        "config.yaml",
    ];
    let documented = run(
        place,
        Command::new("openapi-python-client")
            .arg("generate")
            .args(generated),
    );
    // It leaves out formats that it cannot read, such as XML.
    let left_out: Vec<&str> = documented
        .lines()
        .filter(|line| line.contains("WARNING") || line.contains("ERROR"))
        .collect();
    let known = [
        "WARNING parsing POST /v1/definition-checks",
        "WARNING parsing POST /v1/definitions",
    ];
    assert!(
        left_out
            .iter()
            .all(|line| known.iter().any(|known| line.starts_with(known))),
        "{documented}"
    );
    run(
        place,
        Command::new("mypy").args(["--strict", "--no-error-summary", "api", "round_trip.py"]),
    );
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let printed = run(
        place,
        Command::new("python3").args(["round_trip.py", &address, &token("bob")]),
    );
    check_round_trip(&printed, "openapi-python-client");
}
