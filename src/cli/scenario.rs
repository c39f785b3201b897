//! `stepwire test`: plays scenario files, each against a server of its own with a stopped clock, or
//! against a running server, and reports deviations.
//!
//! Not here: the file format (`form`), servers and users (`stage`, `own_server`), what a user has
//! received (`player`), the comparison with the expectation (`expectation`), printed and written
//! reports (`report`).

mod expectation;
mod form;
mod model_source;
mod node_at;
mod own_server;
mod player;
mod report;
mod stage;
mod yaml_error;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use form::Scenario;
use report::{Mismatch, Played};
use stage::Stage;

use super::{
    Home,
    exit::{Exit, Failure},
    print::Printer,
};
use crate::config::PlayScenarios;

/// The largest scenario file.
const FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Plays every file; a failed one does not stop the others.
///
/// # Errors
/// Files cannot be read or are not scenarios, no server, no access.
pub async fn test(
    command: PlayScenarios,
    home: Home,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let files = files(&command.files)?;
    let scenarios: Vec<(PathBuf, Scenario)> = files
        .into_iter()
        .map(|file| Ok((file.clone(), read(&file)?)))
        .collect::<Result<_, Failure>>()?;
    let mut all = Vec::new();
    for (file, scenario) in scenarios {
        let began = Instant::now();
        let outcome = play(&file, &scenario, &command, &home).await?;
        let played = Played {
            file,
            name: scenario.name.clone(),
            steps: scenario.steps.len(),
            took: began.elapsed(),
            outcome,
        };
        printer.result(&played.text(), &played.json())?;
        all.push(played);
    }
    if let Some(path) = &command.junit {
        fs::write(path, report::junit(&all)).map_err(|error| {
            Failure::usage(format!(
                "expected to write {}, but: {error}; name a file in an existing directory",
                path.display()
            ))
        })?;
    }
    let failed = all.iter().filter(|played| played.outcome.is_err()).count();
    let count = match all.len() {
        1 => "1 scenario".to_owned(),
        many => format!("{many} scenarios"),
    };
    printer.note(&format!("{count}, {failed} failed"));
    Ok(if failed == 0 {
        Exit::Done
    } else {
        Exit::Refused
    })
}

/// The scenario files; a directory stands for all `.yaml` and `.yml` files in it, sorted by name.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in named {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let failed = |cause: &dyn std::fmt::Display| {
            Failure::usage(format!(
                "expected scenario files (.yaml) in {}, but {cause}",
                path.display()
            ))
        };
        let mut inside: Vec<PathBuf> = fs::read_dir(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(&error))?
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|end| end == "yaml" || end == "yml")
            })
            .collect();
        if inside.is_empty() {
            return Err(failed(&"there is none"));
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

fn read(file: &Path) -> Result<Scenario, Failure> {
    let failed = |cause: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "expected a scenario in {}, but {cause}",
            file.display()
        ))
    };
    let bytes = fs::File::open(file)
        .and_then(|open| crate::text::read_all(open, FILE_BYTES))
        .map_err(|error| failed(&error))?;
    Scenario::read(&bytes).map_err(|sentence| failed(&sentence))
}

/// Plays one scenario. The outcome is the first step that deviates.
async fn play(
    file: &Path,
    scenario: &Scenario,
    command: &PlayScenarios,
    home: &Home,
) -> Result<Result<(), Mismatch>, Failure> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut stage = Stage::open(scenario, folder, command, home).await?;
    for step in &scenario.steps {
        if let Err(lines) = stage.play(step).await? {
            stage.close().await;
            return Ok(Err(Mismatch {
                line: step.line,
                step: step.described(),
                lines,
            }));
        }
    }
    stage.close().await;
    Ok(Ok(()))
}
