//! Creates a copy of a data directory.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::{
    manifest::{Manifest, Part},
    parts::{copy_durably, sum_of},
    progress::Reporter,
    staging_dir::StagingDir,
};
use crate::{
    config::{SECRET_FILE, WEBHOOK_SECRET_FILE},
    journal::{DATABASE, copy_database},
    runtime::{clock::real_now, files},
};

/// Copies everything the server keeps, as of the moment at which the copy begins.
///
/// # Errors
/// The directory is not a data directory, the destination is in use, the disk is full; as a
/// sentence.
pub fn make(data: &Path, destination: &Path, reporter: &mut Reporter) -> Result<Manifest, String> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        return Err(format!(
            "expected the data directory of a server in {}, but there is no {DATABASE}: name it \
            with --data or STEPWIRE_DATA; with --store memory there is nothing to copy",
            data.display()
        ));
    }
    let created_at = real_now().to_string();
    let draft = StagingDir::begin(destination)?;
    let failed = |error: io::Error| {
        format!(
            "expected to copy {} to {}, but: {error}",
            data.display(),
            destination.display()
        )
    };

    reporter.begin("copying the database", 0);
    let copied = copy_database(&database, &draft.path().join(DATABASE), &mut |done, all| {
        reporter.at(done, all)
    });
    let facts = copied.map_err(|error| error.to_string())?;
    let sum = durable_sum(&draft.path().join(DATABASE)).map_err(failed)?;
    let mut parts = vec![Part {
        path: DATABASE.into(),
        sum,
    }];
    // Not before: now each file named by a copied row exists.
    let places = files::all_places(data).map_err(failed)?;
    reporter.begin("copying the files", places.len() as u64);
    let mut files = 0;
    for (done, place) in places.iter().enumerate() {
        reporter.at(done as u64, places.len() as u64);
        if let Some(part) = copy(data, place, draft.path()).map_err(failed)? {
            parts.push(part);
            files += 1;
        }
    }
    for secret in [SECRET_FILE, WEBHOOK_SECRET_FILE] {
        parts.extend(copy(data, Path::new(secret), draft.path()).map_err(failed)?);
    }
    let manifest = Manifest::new(&facts, created_at, files, parts);
    manifest.write(draft.path()).map_err(failed)?;
    draft.finish().map_err(failed)?;
    Ok(manifest)
}

/// Copies a file; `None` when it no longer exists, like those of rejected uploads.
fn copy(data: &Path, place: &Path, to: &Path) -> io::Result<Option<Part>> {
    match copy_durably(&data.join(place), &to.join(place)) {
        Ok(sum) => Ok(Some(Part {
            path: PathBuf::from(place),
            sum,
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Syncs a file that another library wrote, and hashes it.
fn durable_sum(file: &Path) -> io::Result<super::parts::Sum> {
    std::fs::File::options()
        .write(true)
        .open(file)?
        .sync_all()?;
    sum_of(file)
}
