//! `stepwire doctor`: examines everything in a data directory, names each fault, and says what it
//! means and what to do. It changes nothing.
//!
//! Like a backup, it can run beside a server and then reads the state of one moment. Unlike the
//! check of a copy, it continues after the first fault. `examination` covers the directory,
//! `database` the rows and the files they name, with one instance in memory at a time; `finding`
//! describes faults. Not here: damage found by a running server (`runtime::damage`).
//!
//! # Rationale
//!
//! **The doctor reads a write-ahead log with its index in memory**, as SQLite would otherwise write
//! files beside the database; it locks the directory, so no server can start meanwhile.

mod database;
mod examination;
mod finding;

use std::path::Path;

use serde::Serialize;

use super::progress::Reporter;
use crate::config::DoctorCommand;
use examination::{Counts, Examination};
use finding::{Finding, FindingSeverity};

/// The report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoctorReport<'a> {
    directory: &'a Path,
    /// Whether a server can run on it and serve everything in it.
    sound: bool,
    /// Whether a server is running on it now.
    running: bool,
    /// What was examined.
    counts: Counts,
    findings: &'a [Finding],
}

/// Examines the data directory; gives whether it is sound.
///
/// # Errors
/// Why it cannot be examined, as a sentence.
pub fn doctor(data: &Path, command: &DoctorCommand) -> Result<bool, String> {
    if !data.is_dir() {
        return Err(format!(
            "expected a data directory, but {} is not one: name it with --data",
            data.display()
        ));
    }
    let mut reporter = Reporter::new(command.format);
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
