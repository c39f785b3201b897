//! The curl sessions printed in docs/ work as printed: each line with `$` is run by `sh` against
//! the real program, and the lines below it must be its output.
//!
//! Needs curl and jq. Without them each test reports by name that it was skipped, unless
//! `STEPWIRE_TEST=all`.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use super::{LEFT_OUT, agrees, readable};
use crate::{
    support::node,
    wire::{
        Client, SECRET, Server,
        client::id,
        server::{admin, token},
    },
};

/// Separates the output of two commands.
const DONE: &str = "--- done ---";

/// A command, and the output printed for it.
struct Step {
    command: String,
    printed: Vec<String>,
}

#[tokio::test]
async fn the_session_of_jobs_works_as_printed() {
    play(
        "jobs.md",
        &[
            "--store",
            "memory",
            "--rate-per-second",
            "0",
            "--test-clock",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_session_of_rest_works_as_printed() {
    play(
        "rest.md",
        &[
            "--store",
            "memory",
            "--rate-per-second",
            "0",
            "--test-clock",
            "--no-examples",
        ],
    )
    .await;
}

/// Plays all sessions of a page in one shell. After each command the process time continues by ten
/// seconds.
async fn play(page: &str, arguments: &[&str]) {
    for tool in ["curl", "jq"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return node::skip(page, &format!("{tool} is missing"));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs").join(page)).expect("the page is there");
    let steps = steps(&text);
    assert!(
        steps.iter().any(|step| step.command.contains("curl")),
        "{page} has a session"
    );
    let server = Server::with(arguments);
    let mut clock = Client::hello(&server, &admin()).await;
    let programs = Path::new(env!("CARGO_BIN_EXE_stepwire"))
        .parent()
        .expect("it is in a folder");
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut shell = Command::new("sh")
        .current_dir(root)
        .env("PATH", path)
        .env("STEPWIRE_DATA", server.data())
        .env("STEPWIRE_JWT_SECRET", SECRET)
        .env("PASSWORD", "a password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh is there");
    let mut script = shell.stdin.take().expect("its input is piped");
    let mut lines = BufReader::new(shell.stdout.take().expect("its output is piped")).lines();
    for Step { command, printed } in &steps {
        let command = command.replace("localhost:8000", &format!("127.0.0.1:{}", server.port));
        writeln!(script, "{command}\necho; echo '{DONE}'").expect("the shell reads");
        let found: Vec<String> = lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|line| line != DONE)
            .collect();
        compare(printed, &found, &command);
        clock
            .done(json!({"type": "clock", "id": id(), "advance": "PT10S"}))
            .await;
    }
    drop(script);
    assert!(shell.wait().expect("it can be waited for").success());
    // The server is as good as before.
    Client::hello(&server, &token("alice")).await;
}

/// The sessions of a page: in blocks of `console`, commands after `$` and their output.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in page
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
    {
        for line in block.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    command: command.to_owned(),
                    printed: Vec::new(),
                }),
                (None, Some(step)) if step.command.ends_with('\\') => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => step.printed.push(line.to_owned()),
                (None, None) => panic!("expected a command before: {line}"),
            }
        }
    }
    steps
}

/// Each printed line has to come, in order; between them nothing else unless a line says that
/// something is left out.
fn compare(printed: &[String], found: &[String], command: &str) {
    let counts = |line: &&String| !line.is_empty() && !line.starts_with(": ");
    let mut rest = found.iter().filter(counts);
    let mut skips = false;
    for line in printed.iter().filter(counts) {
        if line == LEFT_OUT {
            skips = true;
            continue;
        }
        let fits = |found: &&String| fits(line, found);
        let next = if skips {
            rest.find(fits)
        } else {
            rest.next().filter(fits)
        };
        assert!(
            next.is_some(),
            "{command}\nexpected: {line}\nfound: {found:#?}"
        );
        skips = false;
    }
    assert!(
        skips || rest.next().is_none(),
        "{command} says more than is printed: {found:#?}"
    );
}

/// Whether a line matches the output: text up to the first bracket, then JSON.
fn fits(printed: &str, found: &str) -> bool {
    let at = printed.find('{').unwrap_or(printed.len());
    let (before, json) = printed.split_at(at);
    if json.is_empty() {
        return printed
            .strip_suffix(LEFT_OUT)
            .map_or(printed == found, |start| found.starts_with(start));
    }
    found
        .strip_prefix(before)
        .and_then(|rest| serde_json::from_str(rest).ok())
        .is_some_and(|json_found| agrees(&readable(json), &json_found))
}

#[test]
fn printed_lines_are_compared_strictly() {
    let lines =
        |lines: &[&str]| -> Vec<String> { lines.iter().map(|line| line.to_string()).collect() };
    let outcome = |printed: &[&str], found: &[&str]| {
        let (printed, found) = (lines(printed), lines(found));
        std::panic::catch_unwind(move || compare(&printed, &found, "x")).is_ok()
    };
    assert!(outcome(
        &[r#"data: {"a":1,…}"#],
        &[": keep-alive", "", r#"data: {"a":1,"b":2}"#]
    ));
    assert!(outcome(
        &["id: …", "…", "last"],
        &["id: 7", "other", "last"]
    ));
    assert!(outcome(&[], &[""]));
    for (printed, found) in [
        (&[r#"data: {"a":1}"#][..], &[r#"data: {"a":2}"#][..]),
        (&["one"], &["one", "two"]),
        (&["one", "two"], &["one"]),
        (&["two"], &["one", "two"]),
        (&[], &["surprise"]),
        (&[r#"data: {"a":1}"#], &[r#"{"a":1}"#]),
    ] {
        assert!(!outcome(printed, found), "{printed:?} {found:?}");
    }
}
