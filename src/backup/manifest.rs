//! The manifest of a copy: what it is of, what it holds, and the hash of each part. Its own hash
//! is beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::parts::{Sum, sum_of, write_durably};
use crate::journal::Facts;

/// Its file.
pub const MANIFEST: &str = "manifest.json";
/// The file with its hash, in the form of the usual tools.
const MANIFEST_SUM: &str = "manifest.json.sha256";
/// The version of a copy's form that this program writes and reads.
const FORM: u32 = 1;

/// What a copy holds.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the copy's form.
    pub format: u32,
    /// Version of the program that made it.
    pub stepwire: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Identity of the log; a restored one gets another.
    pub log: Uuid,
    /// Version of the tables.
    pub schema: u32,
    /// How much there is.
    pub counts: BackupCounts,
    /// Every file but this one.
    pub parts: Vec<Part>,
}

/// How much of what.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BackupCounts {
    /// Instances.
    pub instances: u64,
    /// Rows of the log.
    pub rows: u64,
    /// Place of the last row.
    pub last_pos: u64,
    /// Versions of definitions.
    pub definitions: u64,
    /// Users, removed ones too.
    pub users: u64,
    /// Files that users have brought.
    pub files: u64,
}

/// A file of a copy.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it is, from the copy on.
    pub path: PathBuf,
    /// Its size and hash.
    #[serde(flatten)]
    pub sum: Sum,
}

impl Manifest {
    /// The manifest of a copy that was made at `created_at`.
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

    /// Writes it, and its hash, durably into the copy.
    ///
    /// # Errors
    /// Those of the file system.
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

    /// Reads that of a copy.
    ///
    /// # Errors
    /// What is no copy, a damaged one, or one of a newer program, as a sentence.
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
        let told = fs::read_to_string(copy.join(MANIFEST_SUM))
            .map_err(|error| failed(&format!("{MANIFEST_SUM} cannot be read: {error}")))?;
        let sum = sum_of(&place).map_err(unreadable)?;
        if told.split_whitespace().next() != Some(sum.sha256.as_str()) {
            return Err(failed(&format!(
                "{MANIFEST} is damaged: its SHA-256 is not that in {MANIFEST_SUM}"
            )));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| {
            failed(&format!(
                "{MANIFEST} is none that this program knows: {error}"
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

    /// What there is, for people.
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
