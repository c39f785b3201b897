//! Brings versions back into memory when an instance of one is needed or somebody reads it. Their
//! source is read from the store and compiled on a script thread, where definitions and tenants
//! take turns; versions used recently stay in memory while there is room.
//!
//! Not here: which versions always stay (`known_version`).

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;

use super::{
    super::step_threads::StepOf, Definitions, DeployError, DeployedProcess, KnownVersion,
    deploy_plan::compile_row,
};
use crate::{
    engine::record::ProcessRef,
    journal::{DefinitionRow, StoreError, StoreReader},
    limits::{self, CallerKind},
};

/// Compiled forms of former versions that were used recently, the newest first.
#[derive(Default)]
pub(super) struct RecentlyUsed(Mutex<VecDeque<Arc<DeployedProcess>>>);

impl RecentlyUsed {
    /// Adds one; those that were used longest ago make room for it.
    fn keep(&self, process: &Arc<DeployedProcess>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(process.clone());
        let mut room = limits::FORMER_DEFINITIONS_MEMORY.get();
        kept.retain(|process| match room.checked_sub(process.memory.bytes()) {
            Some(rest) => {
                room = rest;
                true
            }
            None => {
                room = 0;
                false
            }
        });
    }
}

impl Definitions {
    /// The compiled form of a version. If it is not in memory it is read and compiled here, so call
    /// this on no arbiter.
    ///
    /// # Errors
    /// A store that cannot be read; [`StoreError::NoDefinition`] for a version that this server
    /// cannot run.
    pub fn load(
        &self,
        reader: &dyn StoreReader,
        known: &KnownVersion,
    ) -> Result<Arc<DeployedProcess>, StoreError> {
        match known.in_memory() {
            Some(process) => Ok(process),
            None => self.compile(known, stored(reader, &known.row)?),
        }
    }

    /// The compiled form of the version that an instance runs, as [`Self::load`]; `None` if there
    /// is no such version.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_of_instance(
        &self,
        reader: &dyn StoreReader,
        tenant: &str,
        process: &ProcessRef,
    ) -> Result<Option<Arc<DeployedProcess>>, StoreError> {
        let known = self.of_instance(tenant, process);
        known.map(|known| self.load(reader, &known)).transpose()
    }

    /// Passes the compiled form of a version to `then`, at once or after it has been read and
    /// compiled.
    pub fn fetch_then(
        self: &Arc<Self>,
        known: Arc<KnownVersion>,
        then: impl FnOnce(Result<Arc<DeployedProcess>, StoreError>) + Send + 'static,
    ) {
        if let Some(process) = known.in_memory() {
            return then(Ok(process));
        }
        let (definitions, row) = (self.clone(), known.row.clone());
        let compile = move |stored: Result<DefinitionRow, StoreError>| match stored {
            Ok(row) => definitions.compile_then(known, row, then),
            Err(error) => then(Err(error)),
        };
        self.journal
            .read_then(move |reader| stored(reader, &row), compile);
    }

    /// [`Self::fetch_then`], as a future.
    ///
    /// # Errors
    /// [`DeployError::Store`]; [`DeployError::Closed`] when the server stops.
    pub async fn process(
        self: &Arc<Self>,
        known: &Arc<KnownVersion>,
    ) -> Result<Arc<DeployedProcess>, DeployError> {
        let (sender, fetched) = oneshot::channel();
        self.fetch_then(known.clone(), move |process| {
            // The receiver is gone when the request was cut off.
            let _ = sender.send(process);
        });
        let fetched = fetched.await.map_err(|_| DeployError::Closed)?;
        fetched.map_err(DeployError::Store)
    }

    /// The source of a version.
    ///
    /// # Errors
    /// [`DeployError::Store`]; [`DeployError::Closed`] when the server stops.
    pub async fn source(&self, row: &DefinitionRow) -> Result<Arc<[u8]>, DeployError> {
        let row = row.clone();
        let read = self
            .journal
            .list(None, move |reader| {
                let source = stored(reader, &row)?.source;
                source.map(|packed| packed.text()).transpose()
            })
            .await;
        let stored = read.map_err(|_| DeployError::Closed)?;
        let text = stored.map_err(DeployError::Store)?;
        text.map(Arc::from).ok_or(DeployError::NotFound)
    }

    fn compile_then(
        self: &Arc<Self>,
        known: Arc<KnownVersion>,
        row: DefinitionRow,
        then: impl FnOnce(Result<Arc<DeployedProcess>, StoreError>) + Send + 'static,
    ) {
        let (definitions, name) = (self.clone(), named(&row));
        let of = StepOf {
            owner: row.owner(),
            kind: CallerKind::User,
            taker: None,
        };
        // No command is answered here, so the outcome of the step can be dropped; `then` receives
        // the version.
        drop(self.scripts.run(of, move || {
            if let Some(process) = known.in_memory() {
                return then(Ok(process));
            }
            let compiled = catch_unwind(AssertUnwindSafe(|| definitions.compile(&known, row)));
            then(compiled.unwrap_or(Err(StoreError::NoDefinition(name))));
        }));
    }

    fn compile(
        &self,
        known: &KnownVersion,
        row: DefinitionRow,
    ) -> Result<Arc<DeployedProcess>, StoreError> {
        let name = named(&row);
        let compiled = compile_row(row).map_err(|sentence| {
            log::error!("{sentence}");
            StoreError::NoDefinition(name)
        })?;
        let process = known.share(compiled);
        self.used_of_late.keep(&process);
        Ok(process)
    }
}

fn stored(reader: &dyn StoreReader, row: &DefinitionRow) -> Result<DefinitionRow, StoreError> {
    let stored = reader.definition(&row.tenant, &row.id, row.version)?;
    stored.ok_or_else(|| StoreError::NoDefinition(named(row)))
}

fn named(row: &DefinitionRow) -> String {
    let DefinitionRow {
        id,
        version,
        revision,
        ..
    } = row;
    format!("version {version} of '{id}' with revision {revision}")
}
