//! Examines the directory itself, its secrets, and its files. The database: `database`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::finding::{Finding, FindingKind, FindingSeverity};
use crate::{
    backup::progress::Reporter,
    config,
    journal::{DATABASE, Examined, StoreError},
    runtime::files,
};

/// The number of examined objects.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Versions of definitions.
    pub definitions: usize,
    /// Users, including removed ones.
    pub users: usize,
    /// Instances.
    pub instances: usize,
    /// Files named by instances.
    pub files: usize,
}

/// An examination of a data directory.
pub struct Examination<'a> {
    pub(super) data: &'a Path,
    /// Whether a server is writing to it meanwhile.
    pub running: bool,
    /// The findings so far.
    pub findings: Vec<Finding>,
    /// The number of objects examined so far.
    pub counts: Counts,
    /// Files named by instances.
    pub(super) named: BTreeSet<PathBuf>,
}

impl<'a> Examination<'a> {
    /// An examination of this directory.
    pub fn of(data: &'a Path) -> Self {
        Self {
            data,
            running: false,
            findings: Vec::new(),
            counts: Counts::default(),
            named: BTreeSet::new(),
        }
    }

    /// Examines everything.
    pub fn run(&mut self, reporter: &mut Reporter) {
        self.permissions();
        self.secrets();
        match Examined::open(self.data) {
            Ok(examined) => {
                self.running = examined.is_running;
                self.rows(&examined.database, reporter);
                self.unknown_files();
            }
            Err(error) => {
                let lacks_it =
                    matches!(&error, StoreError::Unreadable(why) if why.starts_with(DATABASE));
                let kind = if lacks_it {
                    FindingKind::NoDatabase
                } else {
                    FindingKind::Database
                };
                self.found(kind, DATABASE, error.to_string());
            }
        }
    }

    /// How many findings are faults.
    pub fn faults(&self) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.severity == FindingSeverity::Fault)
            .count()
    }

    pub(super) fn found(
        &mut self,
        kind: FindingKind,
        part: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.findings.push(Finding::new(kind, part, message));
    }

    #[cfg(unix)]
    fn permissions(&mut self) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};

        let Ok(directory) = fs::metadata(self.data) else {
            return;
        };
        let mode = directory.permissions().mode();
        if mode & 0o077 != 0 {
            let message = format!(
                "others than its owner may use the directory (its mode is {:03o})",
                mode & 0o777
            );
            self.found(FindingKind::OpenToOthers, ".", message);
        }
        let wal = format!("{DATABASE}-wal");
        for name in [DATABASE, &wal, "files", "jwt-secret", "webhook-secret"] {
            let Ok(part) = fs::metadata(self.data.join(name)) else {
                continue;
            };
            let only_read = name.ends_with("secret");
            let needs = if only_read { 0o400 } else { 0o600 };
            let may = part.permissions().mode() & needs == needs;
            if part.uid() != directory.uid() || !may {
                let message = format!(
                    "the owner of the directory cannot use it (owner {}, mode {:03o})",
                    part.uid(),
                    part.permissions().mode() & 0o777
                );
                self.found(FindingKind::Permissions, name, message);
            }
        }
    }

    #[cfg(not(unix))]
    fn permissions(&mut self) {}

    fn secrets(&mut self) {
        for (name, error) in config::unusable_secrets(self.data) {
            self.found(FindingKind::Secret, name, error);
        }
    }

    /// Files without a reference. Beside a running server, a file exists before the row that names
    /// it.
    fn unknown_files(&mut self) {
        if self.running {
            return;
        }
        match files::all_places(self.data) {
            Ok(places) => {
                for place in places {
                    if !self.named.contains(&place) {
                        let part = place.display().to_string();
                        self.found(
                            FindingKind::UnknownFile,
                            part,
                            "no instance that loads names it",
                        );
                    }
                }
            }
            Err(error) => self.found(FindingKind::Permissions, "files", error.to_string()),
        }
    }
}
