//! Creates a data directory from a copy.

use std::{io, path::Path};

use super::{
    check, manifest::Manifest, parts::copy_durably, progress::Reporter, staging_dir::StagingDir,
};
use crate::{
    config::{SECRET_FILE, WEBHOOK_SECRET_FILE},
    journal::{CopiedDatabase, DATABASE},
};

/// Checks the copy, then creates the directory. Its log gets a new identity, as what clients saw
/// after the backup is lost: they receive everything again.
///
/// # Errors
/// What is wrong with the copy, or that the destination is in use; as a sentence.
pub fn restore(
    copy: &Path,
    data: &Path,
    new_secret: bool,
    reporter: &mut Reporter,
) -> Result<Manifest, String> {
    // First, as checking a large copy takes long.
    let draft = StagingDir::begin(data)?;
    let whole = check::check(copy, reporter)?;
    let wanted = |path: &Path| match path.to_str() {
        // Receivers of webhooks know this secret, so it is always kept.
        Some(DATABASE | WEBHOOK_SECRET_FILE) => true,
        Some(SECRET_FILE) => !new_secret,
        _ => whole.named.contains(path),
    };
    let failed = |error: io::Error| {
        format!(
            "expected to restore {} to {}, but: {error}",
            copy.display(),
            data.display()
        )
    };
    let parts: Vec<_> = whole
        .manifest
        .parts
        .iter()
        .filter(|part| wanted(&part.path))
        .collect();
    reporter.begin("copying", parts.len() as u64);
    for (done, part) in parts.iter().enumerate() {
        reporter.at(done as u64, parts.len() as u64);
        let sum =
            copy_durably(&copy.join(&part.path), &draft.path().join(&part.path)).map_err(failed)?;
        if sum != part.sum {
            return Err(format!(
                "expected the part {} to be unchanged, but it has changed meanwhile",
                part.path.display()
            ));
        }
    }
    let log =
        CopiedDatabase::renew(&draft.path().join(DATABASE)).map_err(|error| error.to_string())?;
    draft.finish().map_err(failed)?;
    Ok(Manifest {
        log,
        ..whole.manifest
    })
}
