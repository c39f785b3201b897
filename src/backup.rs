//! `stepwire backup` and `stepwire restore`: complete copies of a data directory; and `stepwire
//! doctor`, which examines a directory in the same way as a copy is checked.
//!
//! A copy is a directory: the database as of one point in time, the users' files, the generated
//! secrets of tokens and webhooks, and a manifest with the SHA-256 of each. The database is copied
//! first and the files afterwards: a file is durable before any row names it and is kept as long as
//! its instance, so each file named in the copied rows is in the copy. A file added later may be,
//! too, but no row names it, and a restore leaves it out.
//!
//! A backup reads the files directly, whether or not a server runs on them, so a killed backup does
//! not affect the server. It is written under another name and moved into place when everything is
//! durable.
//!
//! Not here: copying pages while a server writes (`journal::copy_database`). Where to go next:
//! `make`, `check`, `restore`, `doctor`.

mod check;
mod doctor;
mod make;
mod manifest;
mod parts;
mod progress;
mod restore;
mod staging_dir;

pub use doctor::doctor;

use std::path::Path;

use crate::config::{BackupCommand, RestoreCommand};
use manifest::Manifest;
use progress::Reporter;

/// Copies the data directory.
///
/// # Errors
/// Why the copy failed, as a sentence.
pub fn backup(data: &Path, command: &BackupCommand) -> Result<(), String> {
    let mut reporter = Reporter::new(command.format);
    let manifest = make::make(data, &command.destination, &mut reporter)?;
    let text = format!(
        "{} holds a copy of {}: {}",
        command.destination.display(),
        data.display(),
        manifest.summary()
    );
    reporter.result(&text, &manifest)
}

/// Checks a copy, or creates a data directory from it.
///
/// # Errors
/// The fault of the copy or the destination, as a sentence.
pub fn restore(data: &Path, command: &RestoreCommand) -> Result<(), String> {
    let mut reporter = Reporter::new(command.format);
    let source = &command.source;
    if command.check {
        let manifest: Manifest = check::check(source, &mut reporter)?.manifest;
        return reporter.result(
            &format!(
                "{} is whole and loads: {}",
                source.display(),
                manifest.summary()
            ),
            &manifest,
        );
    }
    let manifest = restore::restore(source, data, command.new_secret, &mut reporter)?;
    let text = format!(
        "{} is ready for a server: {}",
        data.display(),
        manifest.summary()
    );
    reporter.result(&text, &manifest)
}
