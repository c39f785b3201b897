//! A directory that is written under another name beside its destination, and moved there when it
//! is complete.
//!
//! A dropped draft is removed. One left by a killed program does not look complete, and the next
//! draft replaces it.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::parts::sync_tree;
use crate::journal::directory;

/// The file that its writer keeps locked. A directory with this file is a draft, or was one whose
/// writer was killed right after the move.
const LOCK: &str = "being-written";

/// A directory being written.
pub struct StagingDir {
    place: PathBuf,
    draft: PathBuf,
    lock: Option<File>,
}

impl StagingDir {
    /// Starts a draft for a destination that does not exist or is an empty directory.
    ///
    /// # Errors
    /// The destination is in use, as a sentence.
    pub fn begin(place: &Path) -> Result<Self, String> {
        let failed = |what: String| format!("expected to write {}, but {what}", place.display());
        match fs::read_dir(place).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => {
                return Err(failed(
                    "it is there and not empty: name another directory".to_owned(),
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error.to_string())),
        }
        let Some(name) = place.file_name() else {
            return Err(failed("it has no name: name a new directory".to_owned()));
        };
        let mut draft_name = name.to_owned();
        draft_name.push(".partial");
        let draft = place.with_file_name(draft_name);
        let lock = take(&draft).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => failed(format!(
                "another program is writing {}: wait for it",
                draft.display()
            )),
            _ => failed(format!("{}: {error}", draft.display())),
        })?;
        Ok(Self {
            place: place.to_owned(),
            draft,
            lock: Some(lock),
        })
    }

    /// Its current path.
    pub fn path(&self) -> &Path {
        &self.draft
    }

    /// Completes the directory: makes it durable and moves it to its destination.
    ///
    /// # Errors
    /// I/O errors.
    pub fn finish(mut self) -> io::Result<()> {
        sync_tree(&self.draft)?;
        fs::rename(&self.draft, &self.place)?;
        self.lock = None;
        // Not before: without this file, the draft of a killed program would look like a foreign
        // directory.
        fs::remove_file(self.place.join(LOCK))?;
        directory::sync(&self.place)?;
        let parent = self
            .place
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        directory::sync(parent)
    }
}

impl Drop for StagingDir {
    fn drop(&mut self) {
        if self.lock.is_some()
            && let Err(error) = fs::remove_dir_all(&self.draft)
        {
            log::warn!(
                "expected to remove {}, but {error}; the next copy to the same place removes it",
                self.draft.display()
            );
        }
    }
}

/// Creates the directory again and locks it. The operating system releases the lock however the
/// program ends.
fn take(draft: &Path) -> io::Result<File> {
    let lock = draft.join(LOCK);
    match File::options().write(true).open(&lock) {
        Ok(held) => {
            held.try_lock().map_err(|error| match error {
                fs::TryLockError::WouldBlock => io::Error::from(ErrorKind::WouldBlock),
                fs::TryLockError::Error(error) => error,
            })?;
            fs::remove_dir_all(draft)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // A directory without a lock file is not a draft, unless it is empty.
            match fs::remove_dir(draft) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Err(error) => return Err(error),
    }
    if let Some(parent) = draft
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        directory::create(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(draft)?;
    let file = File::create_new(&lock)?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_appears_only_when_complete() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("copy");
        let draft = StagingDir::begin(&place).unwrap();
        fs::write(draft.path().join("a"), "1").unwrap();
        assert!(!place.exists());
        assert!(
            StagingDir::begin(&place)
                .err()
                .unwrap()
                .contains("another program is writing")
        );
        drop(draft);
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            0,
            "a dropped one leaves nothing"
        );

        fs::create_dir(&place).unwrap();
        let draft = StagingDir::begin(&place).unwrap();
        fs::write(draft.path().join("a"), "1").unwrap();
        draft.finish().unwrap();
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(
            StagingDir::begin(&place)
                .err()
                .unwrap()
                .contains("not empty")
        );
    }

    #[test]
    fn remains_of_a_killed_backup_are_replaced_but_other_directories_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("copy");
        let left = directory.path().join("copy.partial");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("mine"), "1").unwrap();
        assert!(StagingDir::begin(&place).is_err());
        fs::write(left.join(LOCK), "").unwrap();
        StagingDir::begin(&place).unwrap().finish().unwrap();
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    }
}
