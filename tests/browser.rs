//! The pages in a real browser: the scripts of this folder drive them against the server's own
//! program.
//!
//! Needs Node and the system's Chromium. Without them each test reports by name that it was
//! skipped, unless `STEPWIRE_TEST=all`.

mod every_field;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    support::node,
    wire::{SECRET, tokens_of},
};

/// The last line of a script when there is no browser.
const SKIPPED: i32 = 77;
const FOLDER: &str = "tests/browser";
/// Users of the scripts, with their roles.
const USERS: [(&str, &[&str]); 7] = [
    ("root", &["admin"]),
    ("olga", &["operator"]),
    ("dora", &["designer"]),
    ("otto", &["designer"]),
    ("ada", &[]),
    ("bob", &["clerk"]),
    ("ben", &["clerk"]),
];

#[test]
fn the_demo_survives_a_killed_server() {
    play("demo.mjs", |server| server.kill_and_restart());
}

#[test]
fn a_new_user_plays_changes_and_publishes_the_demo() {
    play("first_use.mjs", |_| ());
}

#[test]
fn the_admin_pages_follow_an_instance_without_reload() {
    play("admin.mjs", |_| ());
}

#[test]
fn processes_are_drawn_saved_and_published() {
    play("designer.mjs", |server| server.kill_and_restart());
}

#[test]
fn errors_while_drawing_lose_no_work() {
    play("editing.mjs", |_| ());
}

#[test]
fn every_executable_element_has_its_fields() {
    play("fields.mjs", |_| ());
}

#[test]
fn every_member_of_a_definition_can_be_set_in_the_designer() {
    play("every_field.mjs", |_| ());
}

#[test]
fn a_trial_of_a_draft_is_recorded_as_a_scenario() {
    play("trial.mjs", |_| ());
}

#[test]
fn commands_sent_in_the_playground_become_a_scenario() {
    play("playground.mjs", |_| ());
}

#[test]
fn every_example_survives_the_designer() {
    play("round_trip.mjs", |_| ());
}

#[test]
fn the_documentation_fits_phones_and_needs_no_script() {
    play("docs.mjs", |_| ());
}

#[test]
fn tasks_and_statuses_update_for_all_users() {
    play("tasks.mjs", |_| ());
}

#[test]
fn operators_see_waiting_instances_and_earlier_states() {
    play("operations.mjs", |_| ());
}

#[test]
fn page_weights_stay_within_their_bounds() {
    play("weights.mjs", |_| ());
}

#[test]
fn an_event_source_reconnects_and_stops_after_the_end() {
    play("stream.mjs", |server| server.kill_and_restart());
}

#[test]
fn the_examples_of_the_client_run_on_a_port_of_their_own() {
    if let Err(missing) = node::prepare("sdk") {
        return node::skip("examples of the client", &missing);
    }
    play("examples.mjs", |server| server.kill_and_restart());
}

#[test]
fn the_example_of_vite_runs_and_one_action_is_three_forms() {
    let folders = ["sdk", "sdk/examples/vite"];
    if let Err(missing) = folders.into_iter().try_for_each(node::prepare) {
        return node::skip("example of Vite", &missing);
    }
    // It has the client as apps do: built.
    let built = Command::new("node")
        .arg("prepare.mjs")
        .current_dir(node::folder("sdk"))
        .status();
    assert!(built.is_ok_and(|status| status.success()));
    play("vite.mjs", |_| ());
}

/// Runs a script to its end against a new server. At each line `CHECKPOINT …` the script waits
/// until `checkpoint` is done.
#[track_caller]
fn play(script: &str, mut checkpoint: impl FnMut(&mut Server)) {
    if let Err(missing) = node::prepare(FOLDER) {
        return node::skip(script, &missing);
    }
    let mut server = Server::start();
    let mut node = Command::new("node")
        .arg(script)
        .current_dir(node::folder(FOLDER))
        .env("STEPWIRE_URL", &server.url)
        .env("SIGN_IN", &server.sign_in)
        .env("TOKENS", tokens_of(&USERS))
        .env("STEPWIRE_PROGRAM", env!("CARGO_BIN_EXE_stepwire"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node was there a moment ago");
    let mut stdin = node.stdin.take().expect("stdin is piped");
    let mut reported = Vec::new();
    for line in BufReader::new(node.stdout.take().expect("stdout is piped"))
        .lines()
        .map_while(Result::ok)
    {
        if line.starts_with("CHECKPOINT") {
            checkpoint(&mut server);
            writeln!(stdin, "done").expect("the script waits for a line");
        }
        reported.push(line);
    }
    for weight in reported.iter().filter(|line| line.starts_with("WEIGHT")) {
        println!("{weight}");
    }
    let status = node.wait().expect("the script can be waited for");
    if status.code() == Some(SKIPPED) {
        return node::skip(script, &reported.join("\n"));
    }
    assert!(
        status.success() && reported.iter().any(|line| line == "PASSED"),
        "{script} ended with {status}:\n{}",
        reported.join("\n")
    );
}

/// The server's program with a data directory of its own.
struct Server {
    process: Child,
    /// Kept open: a server that cannot write its output would end.
    _said: BufReader<ChildStdout>,
    data: TempDir,
    listen: String,
    url: String,
    sign_in: String,
}

impl Server {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free");
        let (data, listen) = (
            tempfile::tempdir().expect("a directory can be made"),
            free.to_string(),
        );
        let (process, said, sign_in) = launch(data.path(), &listen);
        Self {
            process,
            _said: said,
            data,
            url: format!("http://{listen}"),
            listen,
            sign_in,
        }
    }

    /// Ends the program as a power cut would, and starts it again where it was.
    fn kill_and_restart(&mut self) {
        self.process.kill().expect("the server runs");
        self.process.wait().expect("the server can be waited for");
        (self.process, self._said, self.sign_in) = launch(self.data.path(), &self.listen);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; the test says why.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the program and waits until it has said where to sign in, which is the last it says.
fn launch(data: &Path, listen: &str) -> (Child, BufReader<ChildStdout>, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_stepwire"))
        .args(["--listen", listen, "--jwt-secret", SECRET, "--data"])
        .arg(data)
        .env("RUST_LOG", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    let mut said = BufReader::new(process.stdout.take().expect("stdout is piped"));
    let mut line = String::new();
    while said.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some(link) = line.strip_prefix("Sign in: ") {
            let link = link
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            return (process, said, link);
        }
        line.clear();
    }
    let _ = process.kill();
    panic!(
        "expected the server to start on {listen}, but it ended: {:?}",
        process.wait()
    );
}
