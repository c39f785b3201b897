//! The manifest of a copy: its origin, its content, and the hash of each part. The hash of the
//! manifest itself is stored beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::parts::{Sum, sum_of, write_durably};
use crate::journal::Facts;

/// Name of its file.
pub const MANIFEST: &str = "manifest.json";
/// Name of the file with its hash, in the format of the usual tools.
const MANIFEST_SUM: &str = "manifest.json.sha256";
/// The version of the copy format that this program writes and reads.
const FORM: u32 = 1;

/// The content of a copy.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the copy format.
    pub format: u32,
    /// Version of the program that created it.
    pub stepwire: String,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// Identity of the log; a restored log gets another.
    pub log: Uuid,
    /// Version of the database schema.
    pub schema: u32,
    /// The number of objects.
    pub counts: BackupCounts,
    /// Every file except this one.
    pub parts: Vec<Part>,
}

/// The number of objects of each kind.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BackupCounts {
    /// Instances.
    pub instances: u64,
    /// Rows of the log.
    pub rows: u64,
    /// Position of the last row.
    pub last_pos: u64,
    /// Versions of definitions.
    pub definitions: u64,
    /// Users, including removed ones.
    pub users: u64,
    /// Uploaded files.
    pub files: u64,
}

/// A file of a copy.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its path relative to the copy.
    pub path: PathBuf,
    /// Its size and hash.
    #[serde(flatten)]
    pub sum: Sum,
}

impl Manifest {
    /// The manifest of a copy created at `created_at`.
    pub fn new(facts: &Facts, created_at: String, files: u64, parts: Vec<Part>) -> Self {
        let counts = BackupCounts {
            instances: facts.instances,
            rows: facts.rows,
            last_pos: facts.last_pos,
            definitions: facts.definitions,
            users: facts.users,
            files,
        };
        let stepwire = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            format: FORM,
            stepwire,
            created_at,
            log: facts.incarnation,
            schema: facts.schema,
            counts,
            parts,
        }
    }

    /// Writes the manifest and its hash durably into the copy.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write(&self, copy: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_durably(&copy.join(MANIFEST), &text)?;
        let sum = sum_of(&copy.join(MANIFEST))?;
        write_durably(
            &copy.join(MANIFEST_SUM),
            format!("{}  {MANIFEST}\n", sum.sha256).as_bytes(),
        )
    }

    /// Reads the manifest of a copy.
    ///
    /// # Errors
    /// The directory is not a copy, is damaged, or comes from a newer program, as a sentence.
    pub fn read(copy: &Path) -> Result<Self, String> {
        let place = copy.join(MANIFEST);
        let failed = |what: &str| {
            format!(
                "expected a copy made by 'stepwire backup' in {}, but {what}",
                copy.display()
            )
        };
        let unreadable =
            |error: std::io::Error| failed(&format!("{MANIFEST} cannot be read: {error}"));
        let text = fs::read(&place).map_err(unreadable)?;
        let recorded = fs::read_to_string(copy.join(MANIFEST_SUM))
            .map_err(|error| failed(&format!("{MANIFEST_SUM} cannot be read: {error}")))?;
        let sum = sum_of(&place).map_err(unreadable)?;
        if recorded.split_whitespace().next() != Some(sum.sha256.as_str()) {
            return Err(failed(&format!(
                "{MANIFEST} is damaged: its SHA-256 is not that in {MANIFEST_SUM}"
            )));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| {
            failed(&format!(
                "{MANIFEST} is not one that this program knows: {error}"
            ))
        })?;
        if manifest.format > FORM {
            return Err(failed(&format!(
                "{MANIFEST} has format {}, newer than {FORM}: use a newer program",
                manifest.format
            )));
        }
        let strays = |part: &&Part| {
            part.path.is_absolute()
                || part
                    .path
                    .components()
                    .any(|step| !matches!(step, std::path::Component::Normal(_)))
        };
        match manifest.parts.iter().find(strays) {
            Some(part) => Err(failed(&format!(
                "{MANIFEST} names {}, which is outside of it",
                part.path.display()
            ))),
            None => Ok(manifest),
        }
    }

    /// The content, for people.
    pub fn summary(&self) -> String {
        let BackupCounts {
            instances,
            rows,
            definitions,
            users,
            files,
            ..
        } = &self.counts;
        format!(
            "{instances} instances, {rows} rows, {definitions} definitions, {users} users, \
            {files} files"
        )
    }
}
