//! `stepwire deploy` brings process definitions to a server; `stepwire check` only prints their
//! problems.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    access::Access,
    exit::{Exit, Failure},
    print::{Printer, harmless, list},
    problems::{Check, Checked, FoundProblem},
    rest::{Body, Rest},
};
use crate::config::Deploy;

/// Tells the problems, without a server.
///
/// # Errors
/// A file that cannot be read.
pub fn check(
    files: &[PathBuf],
    explore: bool,
    mut check: Check,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for file in files {
        let Checked { problems, verdict } = check(file, &read(file)?, explore);
        let refused = problems.iter().any(|problem| problem.refuses);
        if refused {
            exit = Exit::Refused;
        }
        let exit = if refused { "refused" } else { "good" };
        let mut outcome = json!({"file": file, "exit": exit});
        let mut text = exit.to_owned();
        if let Some(verdict) = verdict {
            text = format!("{exit}; {verdict}");
            outcome["explored"] = verdict.into();
        }
        tell(file, outcome, &text, &problems, printer)?;
    }
    Ok(exit)
}

/// Deploys each file; one with errors is no reason to leave the others.
///
/// # Errors
/// A file that cannot be read, no server, no access.
pub async fn deploy(
    deploy: Deploy,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let files: Vec<(PathBuf, Vec<u8>)> = deploy
        .files
        .iter()
        .map(|file| Ok((file.clone(), read(file)?)))
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
            Ok(answer) => tell_deployed(&file, &answer, printer)?,
            Err(failure) if failure.told["problems"].is_array() => {
                let problems: Vec<FoundProblem> = list(&failure.told["problems"])
                    .iter()
                    .map(FoundProblem::told)
                    .collect();
                tell(
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

fn tell_deployed(file: &Path, answer: &Value, printer: &mut Printer) -> Result<(), Failure> {
    let all = match list(&answer["definitions"]) {
        [] => std::slice::from_ref(answer),
        several => several,
    };
    for one in all {
        let problems: Vec<FoundProblem> = list(&one["problems"])
            .iter()
            .map(FoundProblem::told)
            .collect();
        let of = |name: &str| one[name].as_str().unwrap_or_default();
        let text = format!("{} version {} ({})", of("id"), one["version"], of("state"));
        let outcome = json!({"file": file, "exit": "deployed", "id": one["id"], "version": one["version"], "state": one["state"]});
        tell(file, outcome, &text, &problems, printer)?;
    }
    Ok(())
}

/// Prints a file's outcome; for people its problems before, on standard error.
fn tell(
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
            .for_each(|problem| eprintln!("{}", harmless(&problem.line(file))));
    }
    printer.result(&format!("{}: {text}", file.display()), &outcome)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| {
        Failure::usage(format!("expected to read {}, but: {error}", file.display()))
    })
}

/// Whether a file holds the JSON form, by its name.
/// A definition as it goes to a server.
pub fn body(file: &Path, bytes: Vec<u8>) -> Body {
    let media_type = if is_json(file) {
        "application/json"
    } else {
        "application/xml"
    };
    Body { media_type, bytes }
}

fn is_json(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}
