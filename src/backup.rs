//! `stepwire backup` and `stepwire restore`: copies of a data directory, whole or not there; and
//! `stepwire doctor`, which looks at a directory as a copy is checked.
//!
//! A copy is a directory: the database as of one point in time, the users' files, the secrets of
//! tokens and webhooks when they were generated, and a manifest with the SHA-256 of each. The
//! database is copied first and the files then, as a file is durable before any row names it and
//! stays as long as its instance. So each file that the copied rows name is in the copy; a file
//! that came later is, too, but no row names it, and it is left out when the copy is restored.
//!
//! It works on the files, whether or not a server runs on them, so a copy that is killed leaves the
//! server as it was. It is written under another name and moved into place when everything is
//! durable.
//!
//! Not here: how pages are copied beside a writer (`journal::copy_database`). Where to go next:
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
/// Why there is no copy, as a sentence.
pub fn backup(data: &Path, command: &BackupCommand) -> Result<(), String> {
    let mut teller = Reporter::new(command.telling);
    let manifest = make::make(data, &command.destination, &mut teller)?;
    let text = format!(
        "{} holds a copy of {}: {}",
        command.destination.display(),
        data.display(),
        manifest.summary()
    );
    teller.result(&text, &manifest)
}

/// Checks a copy, or makes a data directory of it.
///
/// # Errors
/// What is wrong with the copy or the place for the directory, as a sentence.
pub fn restore(data: &Path, command: &RestoreCommand) -> Result<(), String> {
    let mut teller = Reporter::new(command.telling);
    let source = &command.source;
    if command.check {
        let manifest: Manifest = check::check(source, &mut teller)?.manifest;
        return teller.result(
            &format!(
                "{} is whole and loads: {}",
                source.display(),
                manifest.summary()
            ),
            &manifest,
        );
    }
    let manifest = restore::restore(source, data, command.new_secret, &mut teller)?;
    let text = format!(
        "{} is ready for a server: {}",
        data.display(),
        manifest.summary()
    );
    teller.result(&text, &manifest)
}
