//! Directories that survive a power cut, as what is kept in them shall. Not here: which directories there are.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Creates the directory, and those above it, durably.
///
/// # Errors
/// Those of the file system.
pub fn create(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    fs::create_dir_all(dir)?;
    for created in missing {
        sync(created.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Makes durable which files the directory holds.
///
/// # Errors
/// Those of the file system.
pub fn sync(dir: &Path) -> io::Result<()> {
    // Only Unix can sync a directory, and needs it.
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}
