//! Processes by number: those with an alias, as clients of jobs know them; and the switch that lets a process start nothing new.

use std::{collections::BTreeMap, sync::Arc};

use super::{Definitions, DeployError, DeployedProcess, Index, insert, with_state};
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
        let _changing = self.changing.lock().await;
        if !self.knows(tenant, id) {
            return Err(DeployError::NotFound);
        }
        let stands = |row: &DefinitionRow| matches!(row.state, DefinitionState::Published | DefinitionState::Disabled);
        let process = self.find(tenant, id, stands).ok_or_else(|| {
            DeployError::Conflict(format!("expected a process with a published version, but no version of '{id}' is published"))
        })?;
        let state = if enabled { DefinitionState::Published } else { DefinitionState::Disabled };
        if process.row.state == state {
            return Ok(process.row.clone());
        }
        let process = Arc::new(with_state(&process, state));
        let mut index = Index::clone(&self.index.load());
        insert(&mut index, process.clone());
        self.write(index, vec![process.row.clone()]).await?;
        Ok(process.row.clone())
    }
}

/// The problem of a process whose alias another process of the tenant has: clients could mean either.
pub(super) fn alias_taken(index: &Index, tenant: &str, process: &ExecutableProcess) -> Option<Problem> {
    let alias = process.definition.alias?;
    let id = &process.definition.id;
    let others = index.iter().filter(|((owner, other), _)| owner == tenant && other != id).flat_map(|(_, versions)| versions);
    let stands = |row: &DefinitionRow| {
        !matches!(row.state, DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted)
    };
    let other = others.map(|version| &version.row).find(|row| row.alias == Some(alias) && stands(row))?;
    let sentence = format!("expected an alias that no other process has, but {alias} is that of '{}': choose another", other.id);
    Some(Problem::error(id, "alias_taken", sentence))
}
