//! Directories that survive a power failure. Not here: which directories there are.

use std::{
    fs::{DirBuilder, File},
    io,
    path::Path,
};

/// Creates the directory, and those above it, durably. On Unix only their owner may read them,
/// because they contain users' data.
///
/// # Errors
/// Those of the file system.
pub fn create(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = dir
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    for created in missing {
        sync(
            created
                .parent()
                .filter(|path| !path.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        )?;
    }
    Ok(())
}

/// Makes the list of files in the directory durable.
///
/// # Errors
/// Those of the file system.
pub fn sync(dir: &Path) -> io::Result<()> {
    // Only Unix can sync a directory, and needs to.
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}
