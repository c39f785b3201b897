//! Processes by number: those with an alias, as clients of jobs know them; and the switch that lets a process start nothing new.

use std::{collections::BTreeMap, sync::Arc};

use super::{Catalog, Definitions, DeployError, DeployedProcess, Versions};
use crate::{
    journal::{DefinitionRow, DefinitionState},
    model::{executable::ExecutableProcess, problem::Problem},
};

impl Definitions {
    /// The process with this alias, published or disabled.
    pub fn with_alias(&self, tenant: &str, alias: i64) -> Option<Arc<DeployedProcess>> {
        self.workflows(tenant).into_iter().find(|(number, _)| *number == alias).map(|(_, process)| process)
    }

    /// All processes of a tenant that have an alias and are published or disabled, by alias.
    pub fn workflows(&self, tenant: &str) -> Vec<(i64, Arc<DeployedProcess>)> {
        let mut found: BTreeMap<i64, Arc<DeployedProcess>> = BTreeMap::new();
        for process in self.all(tenant) {
            if let (DefinitionState::Published | DefinitionState::Disabled, Some(alias)) = (process.row.state, process.row.alias)
            {
                found.entry(alias).or_insert(process);
            }
        }
        found.into_iter().collect()
    }

    /// Whether the process starts nothing new until it is enabled.
    pub fn is_disabled(&self, tenant: &str, id: &str) -> bool {
        self.find(tenant, id, |row| row.state == DefinitionState::Disabled).is_some()
    }

    /// Lets a published process start nothing new, or start again; running instances go on. One that stands so already stays so.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown process, [`DeployError::Conflict`] for one that was never published.
    pub async fn switch(&self, tenant: &str, id: &str, enabled: bool) -> Result<DefinitionRow, DeployError> {
        let decide = |catalog: &Catalog| {
            if catalog.versions().find(tenant, id, |row| row.state != DefinitionState::Deleted).is_none() {
                return Err(DeployError::NotFound);
            }
            let process = catalog.versions().standing(tenant, id).ok_or_else(|| {
                DeployError::Conflict(format!(
                    "expected a process with a published version, but no version of '{id}' is published"
                ))
            })?;
            let state = if enabled { DefinitionState::Published } else { DefinitionState::Disabled };
            Ok(self.turn(catalog, process, state))
        };
        self.table.change(decide).await?
    }
}

/// The problem of a process whose alias another process of the tenant has: clients could mean either.
pub(super) fn alias_taken(versions: &Versions, tenant: &str, process: &ExecutableProcess) -> Option<Problem> {
    let alias = process.definition.alias?;
    let id = &process.definition.id;
    let others = versions.by_process().filter(|((owner, other), _)| owner == tenant && other != id);
    let stands = |row: &DefinitionRow| {
        !matches!(row.state, DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted)
    };
    let other = others
        .flat_map(|(_, versions)| versions)
        .map(|version| &version.row)
        .find(|row| row.alias == Some(alias) && stands(row))?;
    let sentence = format!("expected an alias that no other process has, but {alias} is that of '{}': choose another", other.id);
    Some(Problem::error(id, "alias_taken", sentence))
}
