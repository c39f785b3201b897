//! Processes by number: those with an alias, which clients of the jobs API use; and the switch that
//! disables a process.
//!
//! # Rationale
//!
//! **An alias belongs to one process**: a second process with the same number is an error at
//! deploy, so that the order of deploys does not matter.

use std::{collections::BTreeMap, sync::Arc};

use super::{Catalog, Definitions, DeployError, DeployedProcess, KnownVersion, Versions};
use crate::{
    journal::{DefinitionRow, DefinitionState},
    model::{executable::ExecutableProcess, problem::Problem},
};

impl Definitions {
    /// The process with this alias, published or disabled.
    pub fn with_alias(&self, tenant: &str, alias: i64) -> Option<Arc<DeployedProcess>> {
        self.workflows(tenant)
            .into_iter()
            .find(|(number, _)| *number == alias)
            .map(|(_, process)| process)
    }

    /// All processes of a tenant that have an alias and are published or disabled, by alias.
    pub fn workflows(&self, tenant: &str) -> Vec<(i64, Arc<DeployedProcess>)> {
        let mut found: BTreeMap<i64, Arc<DeployedProcess>> = BTreeMap::new();
        for known in self.all(tenant) {
            if let (DefinitionState::Published | DefinitionState::Disabled, Some(alias)) =
                (known.row.state, known.row.alias)
                && let Some(process) = known.in_memory()
            {
                found.entry(alias).or_insert(process);
            }
        }
        found.into_iter().collect()
    }

    /// Every process of a tenant that has or had an alias, including deleted ones, by the alias it
    /// had last: that of its published or disabled version if that has one, otherwise that of its
    /// newest version with one.
    pub fn numbered(&self, tenant: &str) -> Vec<(i64, Arc<KnownVersion>)> {
        let is_current = |process: &&Arc<KnownVersion>| {
            matches!(
                process.row.state,
                DefinitionState::Published | DefinitionState::Disabled
            )
        };
        let numbered = |versions: &[Arc<KnownVersion>]| {
            let with_alias = || {
                versions
                    .iter()
                    .rev()
                    .filter(|process| process.row.alias.is_some())
            };
            let process = with_alias()
                .find(is_current)
                .or_else(|| with_alias().next())?;
            Some((process.row.alias?, process.clone()))
        };
        let mut known: Vec<(i64, Arc<KnownVersion>)> = self.table.read(|catalog| {
            let of_tenant = catalog
                .versions()
                .by_process()
                .filter(|((owner, _), _)| owner == tenant);
            of_tenant
                .filter_map(|(_, versions)| numbered(versions))
                .collect()
        });
        known.sort_by(|(a, one), (b, other)| (a, &one.row.id).cmp(&(b, &other.row.id)));
        known
    }

    /// Whether the process is disabled: it starts nothing new.
    pub fn is_disabled(&self, tenant: &str, id: &str) -> bool {
        self.find(tenant, id, |row| row.state == DefinitionState::Disabled)
            .is_some()
    }

    /// Disables a published process, so that it starts nothing new, or enables it again; running
    /// instances continue. A process that is already in the state stays unchanged.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown process, [`DeployError::Conflict`] for one that was
    /// never published.
    pub async fn switch(
        &self,
        tenant: &str,
        id: &str,
        enabled: bool,
    ) -> Result<DefinitionRow, DeployError> {
        let decide = |catalog: &Catalog| {
            if catalog
                .versions()
                .find(tenant, id, |row| row.state != DefinitionState::Deleted)
                .is_none()
            {
                return Err(DeployError::NotFound);
            }
            let known = catalog.versions().known_current(tenant, id);
            let known = known.ok_or_else(|| {
                DeployError::Conflict(format!(
                    "expected a process with a published version, but no version of '{id}' is \
                    published"
                ))
            })?;
            let state = if enabled {
                DefinitionState::Published
            } else {
                DefinitionState::Disabled
            };
            Ok(self.turn(catalog, known, known.with_state(state)))
        };
        self.table.change(decide).await?
    }
}

/// The problem of a process whose alias another process of the tenant has.
pub(super) fn alias_taken(
    versions: &Versions,
    tenant: &str,
    process: &ExecutableProcess,
) -> Option<Problem> {
    let alias = process.definition.alias?;
    let id = &process.definition.id;
    let others = versions
        .by_process()
        .filter(|((owner, other), _)| owner == tenant && other != id);
    let is_current = |row: &DefinitionRow| {
        !matches!(
            row.state,
            DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted
        )
    };
    let other = others
        .flat_map(|(_, versions)| versions)
        .map(|version| &version.row)
        .find(|row| row.alias == Some(alias) && is_current(row))?;
    let sentence = format!(
        "expected an alias that no other process has, but {alias} is that of '{}': choose another",
        other.id
    );
    Some(Problem::error(id, "alias_taken", sentence))
}
