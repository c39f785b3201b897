//! Runs a file of cases and compares what happens with what is written in it.
//!
//! A file holds cases: a `# title`, a process [sketch](super::sketch), and after each `---` the commands of a new instance of
//! it ([`script`](super::script)). What a command does stands below it, indented. `UPDATE_EXPECT=1 cargo test engine` writes
//! what does happen into the files, to be read and judged before it is kept.

use std::{fmt::Write, fs, path::PathBuf};

use super::{
    script::Script,
    sketch,
    subject::{Subject, compiled},
};

/// Checks every case of `tests/engine/cases/<name>.case`.
pub fn check(name: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "engine", "cases", &format!("{name}.case")].iter().collect();
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let actual = run(&expected);
    if actual == expected {
        return;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(&path, actual).expect("the cases can be written");
    }
    panic!("{name}.case: something else happens than is written (UPDATE_EXPECT=1 writes it)\n{}", difference(&expected, &actual));
}

/// The same text, with what happens in place of what was expected.
fn run(text: &str) -> String {
    let mut written = String::new();
    let mut sketch = String::new();
    let mut script: Option<Script> = None;
    for line in text.lines() {
        if line.starts_with('#') {
            (sketch, script) = (String::new(), None);
        } else if line.starts_with("---") {
            script = Some(Script::new(Subject::new(compiled(sketch::definition(&sketch)))));
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
    written
}

/// Every line that differs, below the title of its case.
fn difference(expected: &str, actual: &str) -> String {
    let mut shown = String::new();
    for (before, after) in cases(expected).iter().zip(cases(actual)) {
        if *before != after {
            let _ = writeln!(shown, "{}", before.lines().next().unwrap_or_default());
            let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
            let same = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
            let left = |lines: &[&str]| lines.len() - same;
            let backwards = before.iter().rev().zip(after.iter().rev()).take_while(|(before, after)| before == after).count();
            let end = backwards.min(left(&before)).min(left(&after));
            let context = before[..same].iter().rev().take(2).rev();
            context.for_each(|line| push("    ", line, &mut shown));
            before[same..before.len() - end].iter().for_each(|line| push("  - ", line, &mut shown));
            after[same..after.len() - end].iter().for_each(|line| push("  + ", line, &mut shown));
        }
    }
    shown
}

fn push(mark: &str, line: &str, shown: &mut String) {
    shown.extend([mark, line, "\n"]);
}

fn cases(text: &str) -> Vec<String> {
    let mut cases: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') || cases.is_empty() {
            cases.push(String::new());
        }
        if let Some(case) = cases.last_mut() {
            case.push_str(line);
            case.push('\n');
        }
    }
    cases
}
