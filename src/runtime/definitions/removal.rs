//! Deleting versions. A deleted one is gone for everybody but the instances that run or ran it: a definition is needed to read
//! an instance's history, so its row stays, and so does its number.

use std::sync::Arc;

use super::{Definitions, DeployError, DeployedProcess, Index, insert, with_state};
use crate::{
    engine::record::Status,
    journal::{DefinitionState, InstanceFilter},
};

impl Definitions {
    /// A version that was not deleted.
    pub fn undeleted(&self, tenant: &str, id: &str, version: u32) -> Option<Arc<DeployedProcess>> {
        self.find(tenant, id, |row| row.version == version && row.state != DefinitionState::Deleted)
    }

    /// Deletes a version: a draft always, its tests run on; a former version once none of its instances is live.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown version, [`DeployError::Conflict`] for one that is published or still runs.
    pub async fn delete(&self, tenant: &str, id: &str, version: u32) -> Result<(), DeployError> {
        let _changing = self.changing.lock().await;
        let process = self.undeleted(tenant, id, version).ok_or(DeployError::NotFound)?;
        match process.row.state {
            DefinitionState::Draft => {}
            DefinitionState::Published | DefinitionState::Disabled => {
                return Err(DeployError::Conflict(format!(
                    "expected a version that is not published, but version {version} of '{id}' is: publish another one, or \
                     deprecate it first (POST /v1/definitions/{id}/{version}/deprecate)"
                )));
            }
            DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted => {
                self.require_no_live_instance(tenant, id, version).await?;
            }
        }
        let process = Arc::new(with_state(&process, DefinitionState::Deleted));
        let mut index = Index::clone(&self.index.load());
        insert(&mut index, process.clone());
        self.write(index, vec![process.row.clone()]).await
    }

    async fn require_no_live_instance(&self, tenant: &str, id: &str, version: u32) -> Result<(), DeployError> {
        let live = Status::ALL.into_iter().filter(|status| status.is_live()).map(|status| status.name().to_owned());
        let filter = InstanceFilter {
            tenant: Some(tenant.to_owned()),
            process: Some(id.to_owned()),
            version: Some(version),
            statuses: live.collect(),
            ..InstanceFilter::default()
        };
        let counted = self.journal.read(move |reader| reader.count(&filter)).await;
        match counted.map_err(|_| DeployError::Closed)?.map_err(DeployError::Store)? {
            0 => Ok(()),
            count => Err(DeployError::Conflict(format!(
                "expected no live instance of version {version} of '{id}', but there are {count}: wait for their end, or \
                 terminate them (GET /v1/instances?process={id}&version={version}&status=started&status=onHold, then POST \
                 /v1/instances/KEY/terminate)"
            ))),
        }
    }
}
