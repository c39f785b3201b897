//! The TypeScript client: its types, its unit tests, the onboarding example against the real
//! program, and its package.
//!
//! Needs Node; without it each test reports by name that it was skipped, unless
//! `STEPWIRE_TEST=all`.

mod package;

use std::{process::Command, time::Duration};

use serde_json::{Map, Value};

use crate::{
    support::node,
    wire::{Server, token_with, tokens_of},
};

#[test]
fn the_client_and_the_pages_have_sound_types() {
    if let Err(missing) = node::prepare("sdk").and_then(|()| node::prepare("static")) {
        return node::skip("types", &missing);
    }
    pass(&mut node::npm_run("sdk", "check"));
    let compiler = node::folder("sdk/node_modules/typescript/bin/tsc");
    pass(
        Command::new("node")
            .arg(compiler)
            .args(["-p", "tsconfig.json"])
            .current_dir(node::folder("static")),
    );
}

#[test]
fn the_reference_of_the_client_is_complete() {
    if let Err(missing) = node::prepare("sdk").and_then(|()| node::prepare("sdk/docs")) {
        return node::skip("reference of the client", &missing);
    }
    let out = tempfile::tempdir().expect("a directory can be made");
    // Anything public without a comment, and links that lead nowhere, fail it.
    pass(
        Command::new("node")
            .arg("node_modules/typedoc/bin/typedoc")
            .arg("--out")
            .arg(out.path())
            .current_dir(node::folder("sdk/docs")),
    );
    let pages = [
        "index.html",
        "functions/index.connect.html",
        "modules/task.html",
    ];
    for page in pages {
        assert!(out.path().join(page).is_file(), "there is no {page}");
    }
}

#[test]
fn the_client_plays_against_the_server() {
    if let Err(missing) = node::prepare("sdk") {
        return node::skip("client tests", &missing);
    }
    // The clients that run there side by side have one address, and share the rates of one
    // stranger.
    let server = Server::with(&[
        "--store",
        "memory",
        "--rate-per-second",
        "0",
        "--anonymous-requests",
        "0",
        "--anonymous-bytes",
        "0",
        "--anonymous-starts",
        "0",
        "--user-starts",
        "0",
    ]);
    // As long as a token may be: the first frame has less room for the rest.
    let long = "r".repeat(5_900);
    let users: [(&str, &[&str]); 5] = [
        ("root", &["admin"]),
        ("ada", &[]),
        ("bob", &["clerk"]),
        ("ben", &["clerk"]),
        ("lena", &[&long]),
    ];
    let mut tokens: Map<String, Value> =
        serde_json::from_str(&tokens_of(&users)).expect("tokens are JSON");
    let expired = token_with("ada", &[], "default", Duration::ZERO);
    tokens.insert("old".to_owned(), expired.into());
    let tokens = Value::Object(tokens).to_string();
    // With the usual limit of messages; with the usual rates of strangers.
    let limited = Server::with(&["--store", "memory"]);
    let strangers = Server::with(&["--store", "memory", "--rate-per-second", "0"]);
    let [url, limited_url, strangers_url] = [&server, &limited, &strangers]
        .map(|server| format!("ws://127.0.0.1:{}/v1/ws", server.port));
    let mut test = node::npm_run("sdk", "test");
    pass(
        test.env("STEPWIRE_URL", url)
            .env("STEPWIRE_LIMITED_URL", limited_url)
            .env("STEPWIRE_STRANGERS_URL", strangers_url)
            .env("STEPWIRE_TOKENS", tokens)
            .env("STEPWIRE_PROGRAM", env!("CARGO_BIN_EXE_stepwire")),
    );
}

#[track_caller]
fn pass(command: &mut Command) {
    let output = command.output().expect("node was there a moment ago");
    let reported = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&reported)
    );
}
