//! `stepwire doctor`: looks at everything a data directory holds, names each thing that is wrong with
//! it, and says what that means and what to do. Nothing is changed.
//!
//! It reads beside a running server, too, as of one moment, as a backup does. Unlike the check of a
//! copy it continues after the first thing that is wrong. `examination` looks at the directory,
//! `database` at the rows and the files they name, one instance in memory at a time; `finding` is
//! what was found. Not here: damage that a running server meets (`runtime::damage`).
//!
//! # Why so
//!
//! **The doctor reads a write-ahead log with its index in memory**, as SQLite would write files
//! beside the database otherwise; it locks the directory, so no server starts meanwhile.

mod database;
mod examination;
mod finding;

use std::path::Path;

use serde::Serialize;

use super::progress::Reporter;
use crate::config::DoctorCommand;
use examination::{Counts, Examination};
use finding::{Finding, FindingSeverity};

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoctorReport<'a> {
    directory: &'a Path,
    /// Whether a server can run on it and serve all that is there.
    sound: bool,
    /// Whether a server runs on it now.
    running: bool,
    /// What was looked at.
    counts: Counts,
    findings: &'a [Finding],
}

/// Looks at the data directory; whether it is sound.
///
/// # Errors
/// Why it cannot be looked at, as a sentence.
pub fn doctor(data: &Path, command: &DoctorCommand) -> Result<bool, String> {
    if !data.is_dir() {
        return Err(format!(
            "expected a data directory, but {} is not one: name it with --data",
            data.display()
        ));
    }
    let mut reporter = Reporter::new(command.telling);
    let mut examination = Examination::of(data);
    examination.run(&mut reporter);
    let report = DoctorReport {
        directory: data,
        sound: examination.faults() == 0,
        running: examination.running,
        counts: examination.counts,
        findings: &examination.findings,
    };
    reporter.print(&text(&report), &report)?;
    Ok(report.sound)
}

fn text(report: &DoctorReport<'_>) -> String {
    let faults = report.findings.iter();
    let faults = faults
        .filter(|finding| finding.severity == FindingSeverity::Fault)
        .count();
    let notes = report.findings.len() - faults;
    let mut found = match faults {
        0 => "is sound".to_owned(),
        1 => "has 1 fault".to_owned(),
        _ => format!("has {faults} faults"),
    };
    if notes > 0 {
        found += &format!("; worth a look: {notes}");
    }
    let Counts {
        definitions,
        users,
        instances,
        files,
    } = report.counts;
    let findings = report.findings.iter().map(|finding| format!("{finding}\n"));
    findings.collect::<String>()
        + &format!(
            "{} {found} ({instances} instances, {definitions} versions of definitions, {users} \
            users, {files} files)",
            report.directory.display()
        )
}
