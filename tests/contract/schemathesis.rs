//! Schemathesis against the server's program: it makes requests of the OpenAPI document, good and bad ones, and looks for faults
//! of the server and for answers of which the document does not tell.
//!
//! Needs the Python package `schemathesis` on the path, or where `SCHEMATHESIS` says. Without it the test says by name that it was
//! skipped, unless `STEPWIRE_TEST=all`. Bounded by few examples per operation and a fixed seed, so that it finds the same again.

use std::{
    env,
    process::{Command, Output},
};

use crate::{
    support::node::skip,
    wire::{Server, server::admin},
};

/// What is looked for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,unsupported_method,allow_header_conformance";
/// Answers that never end by themselves.
const ENDLESS: &str = "/sse/|/stream$";

fn program() -> String {
    env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned())
}

fn run(server: &Server) -> Output {
    let base = format!("http://127.0.0.1:{}", server.port);
    Command::new(program())
        .args(["--no-color", "run", &format!("{base}/openapi.json"), "--url", &base])
        .args(["--header", &format!("Authorization: Bearer {}", admin())])
        .args(["--checks", CHECKS, "--exclude-path-regex", ENDLESS, "--exclude-path", "/readyz"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1", "--generation-deterministic"])
        .args(["--no-shrink", "--continue-on-failure", "--request-timeout", "20", "--suppress-health-check", "all"])
        .current_dir(env::temp_dir())
        .output()
        .expect("it was there a moment ago")
}

#[test]
fn no_fault_and_no_answer_the_document_does_not_tell_of() {
    if !Command::new(program()).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip("schemathesis", "the Python package is missing: pip install schemathesis");
    }
    let server = Server::with(&["--store", "memory"]);
    let found = run(&server);
    let told = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.success(), "{told}\n{}", String::from_utf8_lossy(&found.stderr));
    println!("{told}");
}
