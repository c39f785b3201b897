//! Looks definitions up: by id, by version, by the event that starts them. Read only.

use std::sync::Arc;

use super::{Definitions, DeployedProcess, KnownVersion};
use crate::journal::{DefinitionRow, DefinitionState};

impl Definitions {
    /// The version new instances run.
    pub fn published(&self, tenant: &str, id: &str) -> Option<Arc<DeployedProcess>> {
        self.find(tenant, id, |row| row.state == DefinitionState::Published)?
            .in_memory()
    }

    /// The draft.
    pub fn draft(&self, tenant: &str, id: &str) -> Option<Arc<DeployedProcess>> {
        self.find(tenant, id, |row| row.state == DefinitionState::Draft)?
            .in_memory()
    }

    /// A version, even if it was deleted.
    pub fn version(&self, tenant: &str, id: &str, version: u32) -> Option<Arc<KnownVersion>> {
        self.find(tenant, id, |row| row.version == version)
    }

    /// Whether there is any version of the process.
    pub fn knows(&self, tenant: &str, id: &str) -> bool {
        self.find(tenant, id, |row| row.state != DefinitionState::Deleted)
            .is_some()
    }

    /// The published processes of a tenant that a message or signal may start.
    pub fn started_by_events(&self, tenant: &str) -> Vec<Arc<DeployedProcess>> {
        self.table
            .read(|catalog| catalog.versions().started_by_events(tenant).collect())
    }

    /// All versions of all definitions of a tenant, by id and version, without deleted ones.
    pub fn all(&self, tenant: &str) -> Vec<Arc<KnownVersion>> {
        let mut all: Vec<Arc<KnownVersion>> = self.table.read(|catalog| {
            let of_tenant = catalog
                .versions()
                .by_process()
                .filter(|((owner, _), _)| owner == tenant)
                .flat_map(|(_, versions)| versions);
            of_tenant
                .filter(|process| process.row.state != DefinitionState::Deleted)
                .cloned()
                .collect()
        });
        all.sort_by(|a, b| (&a.row.id, a.row.version).cmp(&(&b.row.id, b.row.version)));
        all
    }

    /// Whether the process has or had a version, including deleted ones.
    pub(super) fn has_number(&self, tenant: &str, id: &str) -> bool {
        self.find(tenant, id, |_| true).is_some()
    }

    pub(super) fn find(
        &self,
        tenant: &str,
        id: &str,
        wanted: impl Fn(&DefinitionRow) -> bool,
    ) -> Option<Arc<KnownVersion>> {
        self.table
            .read(|catalog| catalog.versions().find(tenant, id, wanted))
    }
}
