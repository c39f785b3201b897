//! Runs a file of scenarios and compares the frames of every client with those in the file.
//!
//! ```text
//! # title [A1, K2]             begins a case; with the ids of the sentences of docs/process-model.md that it shows
//! process p …                  sketches of processes (tests/engine/sketch.rs), deployed over REST; a second one of p is deployed by `deploy p`
//! bpmn examples/card.bpmn      a file to deploy
//! ---                          starts a new server; then one command per line
//! client alice                 connects and sends `hello`; `client tab as=alice`, `client bob roles=clerk,chief`, `client eve anonymous`
//! alice start p {"x":1}        a command of a client: see `command`
//! alice+bob run save {}        the same command of several clients at once (`alice+alice`: a double click): one line per reply, in any order
//! alice again                  the last frame again, with the same id
//! alice cut                    cuts the connection without a Close; `alice back` reconnects and resumes with its cursors,
//! alice reload                 … and this connects without any state
//! alice lost run save {}       the command is applied, but the connection is cut before its reply
//! alice download p1/file1      downloads an uploaded file over REST
//! schedules                  all schedules, as an operator reads them; also `schedule p/s0 disable`, `enable` or `run`, over REST
//! advance 30s                  moves the process time (or `PT30S`)
//! deploy p                     deploys the next sketch of process p as a new version; or prints its problems
//! restart                      the server stops orderly and starts again on its data; the clock does not move
//! ```
//! After every command the server runs until it is idle, then every client reads all its frames, which
//! are written below the command, indented. At the end of a script the view of every client is
//! compared with that of a snapshot.

use std::{fmt::Write, time::Instant};

use super::stage::Stage;
use crate::support::expected;

/// Runs every scenario of `tests/scenario/cases/<name>.scenario`.
pub fn check(name: &str) {
    let path = expected::path(&["tests", "scenario", "cases", &format!("{name}.scenario")]);
    let expected = expected::read(&path);
    let begun = Instant::now();
    let mut actual = String::new();
    for case in expected::cases(&expected) {
        play(&case, &mut actual);
    }
    let count = actual.lines().filter(|line| line.starts_with("# ")).count();
    println!(
        "{name}.scenario: {count} scenarios in {} ms",
        begun.elapsed().as_millis()
    );
    expected::settle(&path, &expected, &actual);
}

/// Writes a case with the actual frames in place of the expected ones.
fn play(case: &str, written: &mut String) {
    let (head, scripts) = case.split_once("\n---\n").unwrap_or((case, ""));
    written.push_str(head);
    if scripts.is_empty() {
        return;
    }
    let processes: Vec<&str> = head.lines().filter(|line| !line.starts_with('#')).collect();
    for script in scripts.split("\n---\n") {
        written.push_str("\n---\n");
        // Each script has its own system, so that all tasks of its server end with it.
        let played = actix_rt::System::new().block_on(Box::pin(run(&processes.join("\n"), script)));
        written.push_str(played.trim_end_matches('\n'));
    }
    let blank_lines = case.len() - case.trim_end_matches('\n').len();
    written.extend(std::iter::repeat_n('\n', blank_lines));
}

async fn run(processes: &str, script: &str) -> String {
    let mut written = String::new();
    let mut stage = Stage::open(processes, script.lines().any(|line| line == "restart")).await;
    for line in script.lines().filter(|line| !line.starts_with("  ")) {
        writeln!(written, "{line}").expect("strings take all text");
        if !line.is_empty() {
            for below in stage.line(line).await {
                writeln!(written, "  {below}").expect("strings take all text");
            }
        }
    }
    stage.close().await;
    written
}
