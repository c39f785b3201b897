//! Schemathesis against the server's program: it makes requests of the OpenAPI document, good and
//! bad ones, and looks for faults of the server and for answers of which the document does not
//! tell.
//!
//! Needs the Python package `schemathesis`: its program on the path, or where `SCHEMATHESIS` says.
//! Without it the test says by name that it was skipped, unless `STEPWIRE_TEST=all`. Few examples
//! per operation and no randomness keep it short and have it find the same again.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use crate::{
    support::node::skip,
    wire::{Client, Server, server::admin},
};

/// The checks to run.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,unsupported_method,allow_header_conformance";
/// Answers that never end by themselves.
const ENDLESS: &str = "/sse/|/stream$";

fn program() -> String {
    env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned())
}

fn is_installed() -> bool {
    let version = Command::new(program())
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Runs it in a directory, whose `schemathesis.toml` it reads.
#[track_caller]
fn run(server: &Server, directory: &Path) {
    let base = format!("http://127.0.0.1:{}", server.port);
    let found = Command::new(program())
        .args([
            "--no-color",
            "run",
            &format!("{base}/openapi.json"),
            "--url",
            &base,
        ])
        .args(["--header", &format!("Authorization: Bearer {}", admin())])
        .args(["--checks", CHECKS, "--exclude-path-regex", ENDLESS])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "10",
            "--generation-deterministic",
            "--no-shrink",
        ])
        .args([
            "--continue-on-failure",
            "--request-timeout",
            "20",
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
        ])
        .current_dir(directory)
        .output()
        .expect("it was there a moment ago");
    let documented = String::from_utf8_lossy(&found.stdout);
    assert!(
        found.status.success(),
        "{documented}\n{}",
        String::from_utf8_lossy(&found.stderr)
    );
    let summary = documented
        .lines()
        .skip_while(|line| !line.contains("SUMMARY"));
    println!("{}", summary.collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn schemathesis_finds_no_fault_and_no_undocumented_response() {
    if !is_installed() {
        return skip(
            "schemathesis",
            "the Python package is missing: pip install schemathesis",
        );
    }
    let server = Server::with(&["--store", "memory"]);
    let directory = tempfile::tempdir().expect("a directory can be made");
    // First with made-up keys, then with those of existing instances.
    run(&server, directory.path());
    let mut client = Client::hello(&server, &admin()).await;
    let (instance, job) = (
        client.start("onboarding", json!({})).await,
        client.start("Workflow_Wait", json!({})).await,
    );
    let known = [
        ("path.key", json!(instance)),
        ("path.id", json!("onboarding")),
        ("path.version", json!(1)),
        ("query.w", json!(41)),
        ("query.i", json!(job)),
    ];
    let known = known
        .map(|(name, value)| format!("\"{name}\" = {value}"))
        .join("\n");
    fs::write(
        directory.path().join("schemathesis.toml"),
        format!("[parameters]\n{known}\n"),
    )
    .expect("it can be written");
    run(&server, directory.path());
}
