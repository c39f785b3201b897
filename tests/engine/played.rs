//! The instances of all engine cases, with their rows, for other tests.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use stepwire::{engine::RecordBatch, model::executable::ExecutableProcess};

use super::check::run;
use crate::support::expected;

/// One instance of a case.
pub struct Played {
    /// The file and the title of the case, without its sentences: `gateways.case: A join waits`.
    pub case: String,
    pub process: Arc<ExecutableProcess>,
    pub rows: Vec<RecordBatch>,
    /// The number of rows at each restart.
    pub restarts: Vec<usize>,
}

/// All of them, in the order of the files' names.
pub static PLAYED: LazyLock<Vec<Played>> = LazyLock::new(play);

fn play() -> Vec<Played> {
    let folder = expected::path(&["tests", "engine", "cases"]);
    let entries = fs::read_dir(folder).expect("the folder of the cases is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    let mut played = Vec::new();
    for path in paths {
        let file = path.file_name().unwrap_or_default().display().to_string();
        run(&expected::read(&path), &mut |title, subject| {
            let title = title.split(" [").next().unwrap_or(title);
            played.push(Played {
                case: format!("{file}: {title}"),
                process: subject.process.clone(),
                rows: subject.rows.clone(),
                restarts: subject.restarts.clone(),
            });
        });
    }
    played
}
