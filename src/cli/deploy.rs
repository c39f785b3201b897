//! `stepwire deploy` deploys process definitions to a server; `stepwire check` only prints their
//! problems.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    access::Access,
    exit::{Exit, Failure},
    print::{Printer, harmless, list},
    problems::{Check, CheckedFile, FoundProblem},
    rest::{Body, Rest},
};
use crate::{config::DeployArguments, text::standard_error};

/// Prints the problems, without a server.
///
/// # Errors
/// A file that cannot be read.
pub fn check(
    paths: &[PathBuf],
    explore: bool,
    mut check: Check,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut summary = DeploySummary::default();
    let files = definition_files(paths)?;
    for file in &files {
        let CheckedFile { problems, verdict } = check(file, &read(file)?, explore);
        let refused = problems.iter().any(|problem| problem.refuses);
        summary.add(&problems);
        let exit = if refused { "refused" } else { "good" };
        let mut outcome = json!({"file": file, "exit": exit});
        let mut text = exit.to_owned();
        if let Some(verdict) = verdict {
            text = format!("{exit}; {verdict}");
            outcome["explored"] = verdict.into();
        }
        print_result(file, outcome, &text, &problems, printer)?;
    }
    if paths.iter().any(|path| path.is_dir()) {
        printer.result(&summary.text(), &summary.json())?;
    }
    Ok(if summary.refused == 0 {
        Exit::Done
    } else {
        Exit::Refused
    })
}

/// The number of checked files, and how many of them were rejected for which error.
#[derive(Default)]
struct DeploySummary {
    files: usize,
    refused: usize,
    by_code: BTreeMap<String, usize>,
}

impl DeploySummary {
    fn add(&mut self, problems: &[FoundProblem]) {
        let codes: BTreeSet<&str> = problems
            .iter()
            .filter(|problem| problem.refuses)
            .map(|problem| problem.code.as_str())
            .collect();
        self.files += 1;
        self.refused += usize::from(!codes.is_empty());
        for code in codes {
            *self.by_code.entry(code.to_owned()).or_default() += 1;
        }
    }

    fn text(&self) -> String {
        let mut codes: Vec<(&String, &usize)> = self.by_code.iter().collect();
        codes.sort_by_key(|(_, count)| Reverse(**count));
        let lines = codes
            .iter()
            .map(|(code, count)| format!("\n  {count} with {code}"))
            .collect::<String>();
        format!(
            "{} files: {} good, {} refused{lines}",
            self.files,
            self.files - self.refused,
            self.refused
        )
    }

    fn json(&self) -> Value {
        json!({"files": self.files, "good": self.files - self.refused, "refused": self.refused, "errors": self.by_code})
    }
}

/// The files to read: those named, and for a directory all files in it and its subdirectories whose
/// names are those of definitions. Symbolic links in it are not followed.
fn definition_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = paths.iter().rev().cloned().collect();
    while let Some(path) = open.pop() {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let unreadable = |error: std::io::Error| {
            Failure::usage(format!("expected to read {}, but: {error}", path.display()))
        };
        let mut inside = Vec::new();
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() || (kind.is_file() && is_definition(&entry.path())) {
                inside.push(entry.path());
            }
        }
        inside.sort();
        open.extend(inside.into_iter().rev());
    }
    Ok(files)
}

/// Whether a file in a directory is a definition, judging by its name.
fn is_definition(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    [".bpmn", ".bpmn2", ".bpmn20.xml", ".bpmn.xml", ".bpmn.json"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Deploys each file; errors in one do not stop the others.
///
/// # Errors
/// A file cannot be read, no server, no access.
pub async fn deploy(
    deploy: DeployArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let files: Vec<(PathBuf, Vec<u8>)> = definition_files(&deploy.files)?
        .into_iter()
        .map(|file| {
            let bytes = read(&file)?;
            Ok((file, bytes))
        })
        .collect::<Result<_, Failure>>()?;
    let mut rest = Rest::new(access)?;
    let mut exit = Exit::Done;
    for (file, bytes) in files {
        let path = if deploy.publish {
            "/v1/definitions?publish=true"
        } else {
            "/v1/definitions"
        };
        match rest.post(path, body(&file, bytes)).await {
            Ok(answer) => print_deployed(&file, &answer, printer)?,
            Err(failure) if failure.error["problems"].is_array() => {
                let problems: Vec<FoundProblem> = list(&failure.error["problems"])
                    .iter()
                    .map(FoundProblem::from_answer)
                    .collect();
                print_result(
                    &file,
                    json!({"file": file, "exit": "refused"}),
                    "refused",
                    &problems,
                    printer,
                )?;
                exit = Exit::Refused;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

fn print_deployed(file: &Path, answer: &Value, printer: &mut Printer) -> Result<(), Failure> {
    let all = match list(&answer["definitions"]) {
        [] => std::slice::from_ref(answer),
        several => several,
    };
    for one in all {
        let problems: Vec<FoundProblem> = list(&one["problems"])
            .iter()
            .map(FoundProblem::from_answer)
            .collect();
        let of = |name: &str| one[name].as_str().unwrap_or_default();
        let text = format!("{} version {} ({})", of("id"), one["version"], of("state"));
        let outcome = json!({"file": file, "exit": "deployed", "id": one["id"], "version": one["version"], "state": one["state"]});
        print_result(file, outcome, &text, &problems, printer)?;
    }
    Ok(())
}

/// Prints the result for a file; for people its problems before, on standard error.
fn print_result(
    file: &Path,
    mut outcome: Value,
    text: &str,
    problems: &[FoundProblem],
    printer: &mut Printer,
) -> Result<(), Failure> {
    outcome["problems"] = problems.iter().map(FoundProblem::json).collect();
    if !printer.is_json() {
        problems
            .iter()
            .for_each(|problem| standard_error::note(&harmless(&problem.line(file))));
    }
    printer.result(&format!("{}: {text}", file.display()), &outcome)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| {
        Failure::usage(format!("expected to read {}, but: {error}", file.display()))
    })
}

/// A definition as the body of a request; its name says whether it is the JSON form.
pub fn body(file: &Path, bytes: Vec<u8>) -> Body {
    let media_type = if is_json(file) {
        "application/json"
    } else {
        "application/xml"
    };
    Body {
        media_type,
        bytes,
        id: None,
    }
}

fn is_json(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}
