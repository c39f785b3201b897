//! Deleting versions. A deleted version is gone for everybody but the instances that run or ran it.
//!
//! # Rationale
//!
//! **A deleted version keeps its row and number**, because the history of an instance cannot be
//! read without its definition.

use std::sync::Arc;

use super::{Catalog, Definitions, DeployError, KnownVersion, TableDecision, undeleted};
use crate::journal::DefinitionState;

impl Definitions {
    /// A version that was not deleted.
    pub fn undeleted(&self, tenant: &str, id: &str, version: u32) -> Option<Arc<KnownVersion>> {
        self.find(tenant, id, |row| {
            row.version == version && row.state != DefinitionState::Deleted
        })
    }

    /// Deletes a version: a draft at any time (its tests continue), a former version once none of
    /// its instances is live.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown version, [`DeployError::Conflict`] for one that is
    /// published or still has live instances.
    pub async fn delete(&self, tenant: &str, id: &str, version: u32) -> Result<(), DeployError> {
        // Counted before, because a decision must not wait. A version that is not published starts
        // nothing, so no start is missed.
        let live = self.live_instances(tenant, id, version).await?;
        let decide = |catalog: &Catalog| {
            let known = undeleted(catalog, tenant, id, version)?;
            match known.row.state {
                DefinitionState::Published | DefinitionState::Disabled => {
                    Err(DeployError::Conflict(format!(
                        "expected a version that is not published, but version {version} of \
                        '{id}' is: publish another one, or deprecate it first (POST \
                        /v1/definitions/{id}/{version}/deprecate)"
                    )))
                }
                DefinitionState::Deprecated | DefinitionState::Replaced if live > 0 => {
                    Err(DeployError::Conflict(format!(
                        "expected no live instance of version {version} of '{id}', but there are \
                        {live}: wait for their end, or terminate them (GET \
                        /v1/instances?process={id}&version={version}&status=started&status=onHold, \
                        then POST /v1/instances/KEY/terminate)"
                    )))
                }
                DefinitionState::Draft
                | DefinitionState::Deprecated
                | DefinitionState::Replaced
                | DefinitionState::Deleted => {
                    let deleted = known.with_state(DefinitionState::Deleted);
                    let TableDecision { change, .. } = self.turn(catalog, &known, deleted);
                    Ok(TableDecision { change, answer: () })
                }
            }
        };
        self.table.change(decide).await?
    }

    async fn live_instances(
        &self,
        tenant: &str,
        id: &str,
        version: u32,
    ) -> Result<u64, DeployError> {
        let of = tenant.to_owned();
        let read = self
            .journal
            .read(move |reader| reader.versions_in_use(Some(&of)))
            .await;
        let in_use = read
            .map_err(|_| DeployError::Closed)?
            .map_err(DeployError::Store)?;
        let of_version = in_use
            .iter()
            .filter(|used| used.process == id && used.version == version);
        Ok(of_version.map(|used| used.instances).sum())
    }
}
