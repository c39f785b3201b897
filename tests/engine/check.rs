//! Runs a file of cases and compares the records with those in the file.
//!
//! A file holds cases: a line `# title [A1, K2]` with the sentences of docs/process-model.md that
//! the case shows, a process [sketch](super::sketch), other versions of it after lines `=>`, and
//! after each `---` the commands of a new instance ([`script`](super::script)). The outcome of a
//! command is below it, indented. `UPDATE_EXPECT=1 cargo test engine` writes the actual outcome
//! into the files, to be reviewed before it is committed.

use std::{
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    script::Script,
    sketch,
    subject::{Subject, compiled},
};
use crate::support::expected;

/// Checks every case of `tests/engine/cases/<name>.case`.
pub fn check(name: &str) {
    let path = expected::path(&["tests", "engine", "cases", &format!("{name}.case")]);
    let expected = expected::read(&path);
    let begun = Instant::now();
    let actual = run(&expected, &mut |_, _| {});
    count(name, &actual, begun.elapsed());
    expected::settle(&path, &expected, &actual);
}

/// Prints how much was checked, in this file and in total. Shown with `--nocapture`.
fn count(name: &str, text: &str, took: Duration) {
    static TOTAL: Mutex<(usize, usize, Duration)> = Mutex::new((0, 0, Duration::ZERO));
    let of = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    let (cases, instances) = (of("#"), of("---"));
    let mut total = TOTAL.lock().unwrap_or_else(PoisonError::into_inner);
    *total = (total.0 + cases, total.1 + instances, total.2 + took);
    println!(
        "{name}: {cases} cases, {instances} instances, {took:.1?}; all so far: {} cases, {} \
        instances, {:.1?}",
        total.0, total.1, total.2
    );
}

/// The same text, with the actual records in place of the expected ones. `done` is called with each
/// instance at the end of its commands, and the title of its case.
pub fn run(text: &str, done: &mut dyn FnMut(&str, &Subject)) -> String {
    let mut title = String::new();
    let mut written = String::new();
    let mut sketch = String::new();
    let mut script: Option<Script> = None;
    for line in text.lines() {
        if line.starts_with('#') || line.starts_with("---") {
            script
                .take()
                .inspect(|script| done(&title, script.subject()));
        }
        if line.starts_with('#') {
            line.trim_start_matches(['#', ' ']).clone_into(&mut title);
            sketch.clear();
        } else if line.starts_with("---") {
            let mut versions = sketch
                .split("=>\n")
                .map(|version| compiled(sketch::definition(version)));
            let first = versions.next().expect("a sketch before the instance");
            let mut subject = Subject::new(first);
            subject.targets = versions.collect();
            script = Some(Script::new(subject));
        } else if let Some(script) = &mut script {
            if line.starts_with("  ") {
                continue;
            }
            writeln!(written, "{line}").expect("strings take all text");
            if !line.is_empty() {
                for below in script.line(line) {
                    writeln!(written, "  {below}").expect("strings take all text");
                }
            }
            continue;
        } else {
            sketch.push_str(line);
            sketch.push('\n');
        }
        writeln!(written, "{line}").expect("strings take all text");
    }
    script.inspect(|script| done(&title, script.subject()));
    written
}
