//! Files of a copy: copied and hashed in one pass, and made durable before anything depends on
//! them.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::directory;

/// Bytes copied at once.
const CHUNK: usize = 256 * 1024;

/// Size and hash of a file.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// Size and hash of a file on disk.
///
/// # Errors
/// I/O errors.
pub fn sum_of(file: &Path) -> io::Result<Sum> {
    pass(&mut File::open(file)?, &mut io::sink())
}

/// Copies a file durably, readable by its owner only; missing parent directories are created.
///
/// # Errors
/// I/O errors, including that of a missing source.
pub fn copy_durably(from: &Path, to: &Path) -> io::Result<Sum> {
    let mut source = File::open(from)?;
    if let Some(parent) = to.parent() {
        directory::create(parent)?;
    }
    let mut target = private().open(to)?;
    let sum = pass(&mut source, &mut target)?;
    target.sync_all()?;
    Ok(sum)
}

/// Writes a small file durably, readable by its owner only.
///
/// # Errors
/// I/O errors.
pub fn write_durably(to: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().open(to)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the entries of a directory durable, and those of its subdirectories.
///
/// # Errors
/// I/O errors.
pub fn sync_tree(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    directory::sync(root)
}

fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<Sum> {
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let length = from.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        hash.update(&chunk[..length]);
        to.write_all(&chunk[..length])?;
        bytes += length as u64;
    }
    Ok(Sum {
        bytes,
        sha256: hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
}

fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
