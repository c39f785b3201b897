//! Faults among the definitions of a store, and what happens to them at start: what can be repaired
//! with certainty is repaired and logged, the rest is reported.
//!
//! A store may contain two published versions of one process, or live instances of a version that
//! is missing or has another content, because earlier programs could lose a deploy and use its
//! number again. Not here: inconsistent rows of the log (`backup` checks those).

use std::{collections::BTreeMap, sync::Arc};

use super::{Catalog, Definitions, DeployError, KnownVersion, NoAnswer, TableDecision};
use crate::{
    engine::record::ProcessRef,
    journal::{DefinitionState, StoreError, VersionInUse},
};

impl Definitions {
    /// The version that an instance runs: the one it recorded. If that is missing or has another
    /// content now, any version with the recorded content, because the same text is the same
    /// process.
    pub fn of_instance(&self, tenant: &str, process: &ProcessRef) -> Option<Arc<KnownVersion>> {
        self.version(tenant, &process.id, process.version)
            .filter(|known| known.row.revision == process.revision)
            .or_else(|| self.find(tenant, &process.id, |row| row.revision == process.revision))
    }

    /// Leaves at most one published version and one draft of each process: the newest, because it
    /// would have replaced the others.
    ///
    /// # Errors
    /// [`DeployError`], if nothing was written.
    pub async fn repair(&self) -> Result<(), DeployError> {
        let decide = |catalog: &Catalog| {
            let changed: Vec<_> = catalog
                .versions()
                .by_process()
                .flat_map(|(_, versions)| out_of_place(versions))
                .collect();
            for process in &changed {
                let (id, version) = (&process.row.id, process.row.version);
                log::warn!(
                    "the store held more than one published version, or draft, of process \
                    '{id}': version {version} gives way to the newest"
                );
            }
            let mut versions = catalog.versions().clone();
            changed.iter().for_each(|process| versions.insert(process));
            let change =
                (!changed.is_empty()).then(|| self.with_schedules(catalog, &versions, changed));
            Ok(TableDecision { change, answer: () })
        };
        match self.table.change(decide).await {
            // Nothing is worse than before; the next start repairs it.
            Err(NoAnswer::NoRoom) => {
                log::error!("the store cannot be repaired: the disk is full");
                Ok(())
            }
            repaired => repaired?,
        }
    }

    /// Reads which versions live instances run, and logs those that this server does not have.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn report_stranded(&self) -> Result<(), StoreError> {
        let read = self
            .journal
            .read(|reader| reader.versions_in_use(None))
            .await;
        let mut in_use = read.map_err(|_| StoreError::Stopped)??;
        in_use.retain(|used| self.is_stranded(used));
        for VersionInUse {
            tenant,
            process,
            version,
            revision,
            instances,
            ..
        } in &in_use
        {
            log::error!(
                "expected the definition of {instances} live instances: version {version} of \
                process '{process}' of tenant '{tenant}' with revision {revision}, but no stored \
                version that this server can run has this content: deploy the source that they \
                were started with again, and they continue"
            );
        }
        // Searched for once.
        let _ = self.stranded.set(in_use);
        Ok(())
    }

    /// The number of instances that were live at start and still have no definition that they can
    /// run.
    pub fn stranded(&self) -> u64 {
        let in_use = self.stranded.get().into_iter().flatten();
        in_use
            .filter(|used| self.is_stranded(used))
            .map(|used| used.instances)
            .sum()
    }

    fn is_stranded(&self, used: &VersionInUse) -> bool {
        let process = ProcessRef {
            id: used.process.clone(),
            version: used.version,
            revision: used.revision.clone(),
        };
        self.of_instance(&used.tenant, &process).is_none()
    }
}

/// Versions that another version of their process has replaced, with the state they should have.
fn out_of_place(versions: &[Arc<KnownVersion>]) -> Vec<Arc<KnownVersion>> {
    let mut newest: BTreeMap<bool, u32> = BTreeMap::new();
    let mut changed = Vec::new();
    for process in versions.iter().rev() {
        let is_draft = match process.row.state {
            DefinitionState::Draft => true,
            DefinitionState::Published | DefinitionState::Disabled => false,
            DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted => {
                continue;
            }
        };
        if *newest.entry(is_draft).or_insert(process.row.version) != process.row.version {
            let state = if is_draft {
                DefinitionState::Replaced
            } else {
                DefinitionState::Deprecated
            };
            changed.push(Arc::new(process.with_state(state)));
        }
    }
    changed
}
