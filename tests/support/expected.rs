//! Files with expected output: a test compares them with the actual output, and rewrites them on
//! request.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// A file of the project.
pub fn path(parts: &[&str]) -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.extend(parts);
    path
}

/// The text of a file; empty when it does not exist.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Compares the actual text with the expected one; `UPDATE_EXPECT=1` writes the actual text, to be
/// reviewed before it is committed.
///
/// # Panics
/// If they differ, with each differing line below the title of its case.
pub fn settle(path: &Path, expected: &str, actual: &str) {
    if actual == expected {
        return;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(path, actual).expect("what happens can be written");
    }
    let name = path.file_name().unwrap_or_default().display();
    panic!(
        "{name}: something else happens than is written (UPDATE_EXPECT=1 writes it)\n{}",
        difference(expected, actual)
    );
}

fn difference(expected: &str, actual: &str) -> String {
    let mut shown = String::new();
    for (before, after) in cases(expected).iter().zip(cases(actual)) {
        if *before != after {
            let _ = writeln!(shown, "{}", before.lines().next().unwrap_or_default());
            let (before, after): (Vec<&str>, Vec<&str>) =
                (before.lines().collect(), after.lines().collect());
            let same = before
                .iter()
                .zip(&after)
                .take_while(|(before, after)| before == after)
                .count();
            let left = |lines: &[&str]| lines.len() - same;
            let backwards = before
                .iter()
                .rev()
                .zip(after.iter().rev())
                .take_while(|(before, after)| before == after)
                .count();
            let end = backwards.min(left(&before)).min(left(&after));
            let context = before[..same].iter().rev().take(2).rev();
            context.for_each(|line| push("    ", line, &mut shown));
            before[same..before.len() - end]
                .iter()
                .for_each(|line| push("  - ", line, &mut shown));
            after[same..after.len() - end]
                .iter()
                .for_each(|line| push("  + ", line, &mut shown));
        }
    }
    shown
}

fn push(mark: &str, line: &str, shown: &mut String) {
    shown.extend([mark, line, "\n"]);
}

/// The cases of a file: each begins with a line of `#`.
pub fn cases(text: &str) -> Vec<String> {
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
