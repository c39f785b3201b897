//! Runs a file of scenarios and compares the frames of every client with those in the file.
//!
//! ```text
//! # title [A1, K2]             begins a case; the ids of the sentences of docs/process-model.md it is for
//! process p …                  sketches of processes (tests/engine/sketch.rs), deployed over REST; a second one of p is for later
//! bpmn examples/card.bpmn      a file to deploy
//! ---                          from here a new server, and a command per line
//! client alice                 connects and says hello; `client tab as=alice`, `client bob roles=clerk,chief`, `client eve anonymous`
//! alice start p {"x":1}        what a client says: see `command`
//! alice+bob run save {}        the same said by several at once (`alice+alice`: a double click): one line per answer, whose is left open
//! alice again                  the last frame once more, with the same id
//! alice cut                    the connection is gone, without a Close; `alice back` connects and resumes where it stood,
//! alice reload                 … and this connects anew without remembering anything
//! alice lost run save {}       said and done, but the connection is gone before anything of it arrives
//! alice download p1/file1      fetches over REST what somebody brought
//! schedules                  every schedule, as an operator is told; `schedule p/s0 disable`, `enable` or `run` does that over REST
//! advance 30s                  moves the process time (or `PT30S`)
//! deploy p                     the next sketch of process p, as a new version; or what is wrong with it
//! restart                      the server stops in order and starts on its data, at the same time
//! ```
//! After every command the server runs until it is idle, then every client reads all there is. What
//! came stands below the command, indented. At the end of a script every view that a client holds
//! is compared with the one of a snapshot.

use std::{fmt::Write, time::Instant};

use super::stage::Stage;
use crate::support::expected;

/// Plays every scenario of `tests/scenario/cases/<name>.scenario`.
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
        // A system of its own, so that whatever a server leaves running ends with its script.
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
