//! The deployed process definitions: read once at start, swapped as a whole when one changes.
//!
//! A deploy compiles first, then writes, then becomes visible. Running instances stay on their version: versions are never
//! taken out of memory. Not here: what a definition means (`model`), how it is stored (`journal`).

mod planning;
mod removal;
mod start_data;
mod times;
mod unknown_processes;
mod workflows;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::{
    outside::OutsideSettings,
    schedules::{Schedules, Standing},
};
use crate::{
    engine::record::ProcessRef,
    journal::{Busy, DefinitionRow, DefinitionState, Journal, StoreError},
    model::{
        evaluator::Evaluator,
        executable::ExecutableProcess,
        ids::Time,
        problem::Problem,
        source::{SourceFormat, read_source},
    },
};
use planning::{CompiledSource, Plan, compile_row, supersede};

pub use planning::Rehearsal;

/// A definition version, compiled.
pub struct DeployedProcess {
    /// As stored.
    pub row: DefinitionRow,
    /// What the engine runs.
    pub executable: Arc<ExecutableProcess>,
    /// Its conditions and schemas.
    pub evaluator: Arc<dyn Evaluator>,
}

impl fmt::Debug for DeployedProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.row.id, self.row.version)
    }
}

impl DeployedProcess {
    /// What instances record of it.
    pub fn reference(&self) -> ProcessRef {
        ProcessRef { id: self.row.id.clone(), version: self.row.version, revision: self.row.revision.clone() }
    }
}

/// What a deploy came to.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The version now standing for this content.
    pub row: DefinitionRow,
    /// Whether it was there before.
    pub existing: bool,
    /// Warnings.
    pub problems: Vec<Problem>,
}

/// Why a deploy or publish did nothing.
#[derive(Debug)]
pub enum DeployError {
    /// The source has errors; all problems.
    Invalid(Vec<Problem>),
    /// No such definition or version.
    NotFound,
    /// It stands elsewhere in its life.
    Conflict(String),
    /// The writer's queue is full.
    Busy,
    /// The server is shutting down.
    Closed,
    /// The store cannot be read.
    Store(StoreError),
}

/// All versions of all definitions, by tenant and id; versions in order.
type Index = HashMap<(String, String), Vec<Arc<DeployedProcess>>>;

/// The definitions.
pub struct Definitions {
    index: ArcSwap<Index>,
    /// Held while a change is written, so that version numbers are dense.
    changing: tokio::sync::Mutex<()>,
    journal: Journal,
    schedules: Arc<Schedules>,
    outside: OutsideSettings,
    failed: Vec<String>,
    changed: watch::Sender<()>,
}

impl Definitions {
    /// Compiles what the store holds. A version that no longer compiles is left out and reported by [`Self::failed`].
    pub fn load(journal: Journal, schedules: Arc<Schedules>, rows: Vec<DefinitionRow>, outside: OutsideSettings) -> Self {
        let mut index = Index::new();
        let mut failed = Vec::new();
        for row in rows {
            match compile_row(row) {
                Ok(process) => insert(&mut index, Arc::new(process)),
                Err(sentence) => failed.push(sentence),
            }
        }
        schedules.adopt(index.keys().map(|key| standing(&index, key)).collect());
        let changing = tokio::sync::Mutex::new(());
        let changed = watch::Sender::new(());
        Self { index: ArcSwap::from_pointee(index), changing, journal, schedules, outside, failed, changed }
    }

    /// Tells of every change from here on: a deploy, another state of a version.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Stored versions that this server cannot run, as sentences.
    pub fn failed(&self) -> &[String] {
        &self.failed
    }

    /// The version new instances run.
    pub fn published(&self, tenant: &str, id: &str) -> Option<Arc<DeployedProcess>> {
        self.find(tenant, id, |row| row.state == DefinitionState::Published)
    }

    /// The version that is being edited.
    pub fn draft(&self, tenant: &str, id: &str) -> Option<Arc<DeployedProcess>> {
        self.find(tenant, id, |row| row.state == DefinitionState::Draft)
    }

    /// The version an instance runs, also when it was deleted since.
    pub fn version(&self, tenant: &str, id: &str, version: u32) -> Option<Arc<DeployedProcess>> {
        self.find(tenant, id, |row| row.version == version)
    }

    /// What stands of every process that has a version new instances run, or would if it were not disabled.
    pub fn standing(&self) -> Vec<Standing> {
        let index = self.index.load();
        index.keys().map(|key| standing(&index, key)).filter(|standing| standing.version.is_some()).collect()
    }

    /// Whether there is any version of the process.
    pub fn knows(&self, tenant: &str, id: &str) -> bool {
        self.find(tenant, id, |row| row.state != DefinitionState::Deleted).is_some()
    }

    /// All versions of all definitions of a tenant, by id and version, without deleted ones.
    pub fn all(&self, tenant: &str) -> Vec<Arc<DeployedProcess>> {
        let index = self.index.load();
        let of_tenant = index.iter().filter(|((owner, _), _)| owner == tenant).flat_map(|(_, versions)| versions);
        let mut all: Vec<Arc<DeployedProcess>> =
            of_tenant.filter(|process| process.row.state != DefinitionState::Deleted).cloned().collect();
        all.sort_by(|a, b| (&a.row.id, a.row.version).cmp(&(&b.row.id, b.row.version)));
        all
    }

    fn find(&self, tenant: &str, id: &str, wanted: impl Fn(&DefinitionRow) -> bool) -> Option<Arc<DeployedProcess>> {
        let index = self.index.load();
        let versions = index.get(&(tenant.to_owned(), id.to_owned()))?;
        versions.iter().rev().find(|process| wanted(&process.row)).cloned()
    }

    /// Deploys the processes of a source, all or none: as drafts, or published. The same content stays the same version.
    ///
    /// # Errors
    /// [`DeployError::Invalid`] with every problem, errors and warnings.
    pub async fn deploy(&self, deploy: Deploy<'_>) -> Result<Vec<Deployed>, DeployError> {
        let compiled = CompiledSource::compile(deploy.source, deploy.format).map_err(DeployError::Invalid)?;
        let _changing = self.changing.lock().await;
        let Plan { index, changed, outcome } =
            Plan::make(&self.index.load(), compiled, &deploy, &self.outside).map_err(DeployError::Invalid)?;
        self.write(index, changed).await?;
        Ok(outcome)
    }

    /// What a deploy would say, without deploying: the errors that would refuse it, and the warnings, in the same order.
    pub fn check(&self, deploy: &Deploy<'_>) -> Vec<Problem> {
        let planned = CompiledSource::compile(deploy.source, deploy.format)
            .and_then(|compiled| Plan::make(&self.index.load(), compiled, deploy, &self.outside));
        match planned {
            Ok(plan) => plan.warnings().cloned().collect(),
            Err(problems) => problems,
        }
    }

    /// Deploys those processes of a source whose ids were never used yet: what was deleted does not come back.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub async fn deploy_if_unknown(&self, deploy: Deploy<'_>) -> Result<Vec<Deployed>, DeployError> {
        let read = read_source(deploy.source, deploy.format).map_err(DeployError::Invalid)?;
        if read.iter().all(|(definition, _)| self.find(deploy.tenant, &definition.id, |_| true).is_some()) {
            return Ok(Vec::new());
        }
        self.deploy(deploy).await
    }

    /// Makes a version the one new instances run.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown version.
    pub async fn publish(&self, tenant: &str, id: &str, version: u32) -> Result<DefinitionRow, DeployError> {
        let _changing = self.changing.lock().await;
        let process = self.undeleted(tenant, id, version).ok_or(DeployError::NotFound)?;
        let process = Arc::new(with_state(&process, DefinitionState::Published));
        let mut index = Index::clone(&self.index.load());
        let mut changed: Vec<DefinitionRow> = supersede(&mut index, &process);
        insert(&mut index, process.clone());
        changed.push(process.row.clone());
        self.write(index, changed).await?;
        Ok(process.row.clone())
    }

    /// Takes the published version back: nothing new starts until one is published again, running instances go on. A version
    /// that is deprecated already stays so.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown version, [`DeployError::Conflict`] for one that was never published.
    pub async fn deprecate(&self, tenant: &str, id: &str, version: u32) -> Result<DefinitionRow, DeployError> {
        let _changing = self.changing.lock().await;
        let process = self.undeleted(tenant, id, version).ok_or(DeployError::NotFound)?;
        match process.row.state {
            DefinitionState::Deprecated => return Ok(process.row.clone()),
            DefinitionState::Published | DefinitionState::Disabled => {}
            DefinitionState::Draft | DefinitionState::Replaced | DefinitionState::Deleted => {
                let sentence = format!("expected a published version to deprecate, but version {version} of '{id}' is a draft");
                return Err(DeployError::Conflict(sentence));
            }
        }
        let process = Arc::new(with_state(&process, DefinitionState::Deprecated));
        let mut index = Index::clone(&self.index.load());
        insert(&mut index, process.clone());
        self.write(index, vec![process.row.clone()]).await?;
        Ok(process.row.clone())
    }

    /// Has a process evaluated by something else: how tests break a step.
    #[cfg(test)]
    pub fn evaluate_with(&self, id: &str, evaluator: &Arc<dyn Evaluator>) {
        let mut index = Index::clone(&self.index.load());
        for process in index.values_mut().flatten().filter(|process| process.row.id == id) {
            let (row, executable) = (process.row.clone(), process.executable.clone());
            *process = Arc::new(DeployedProcess { row, executable, evaluator: evaluator.clone() });
        }
        self.index.store(Arc::new(index));
    }

    async fn write(&self, index: Index, changed: Vec<DefinitionRow>) -> Result<(), DeployError> {
        let slot = self.journal.reserve().map_err(|Busy| DeployError::Busy)?;
        let (durable, wait) = tokio::sync::oneshot::channel();
        let processes: BTreeSet<_> = changed.iter().map(|row| (row.tenant.clone(), row.id.clone())).collect();
        let standing = processes.iter().map(|key| standing(&index, key)).collect();
        self.schedules.follow(standing, |schedules, settled| {
            slot.definitions(
                changed,
                schedules,
                Box::new(move || {
                    settled();
                    // Nobody waits when the request was cut off; the change is durable all the same.
                    let _ = durable.send(());
                }),
            );
        });
        wait.await.map_err(|_| DeployError::Closed)?;
        self.index.store(Arc::new(index));
        self.changed.send_replace(());
        Ok(())
    }
}

/// What to deploy.
pub struct Deploy<'a> {
    /// Tenant it belongs to.
    pub tenant: &'a str,
    /// The source text.
    pub source: &'a [u8],
    /// What it is written in.
    pub format: SourceFormat,
    /// Publish at once.
    pub publish: bool,
    /// Who deploys.
    pub by: &'a str,
    /// Process time.
    pub now: Time,
}

/// Whether this server can run a stored definition; else why not, as a sentence.
///
/// # Errors
/// The sentence.
pub fn is_usable(row: DefinitionRow) -> Result<(), String> {
    compile_row(row).map(drop)
}

fn with_state(process: &DeployedProcess, state: DefinitionState) -> DeployedProcess {
    let row = DefinitionRow { state, ..process.row.clone() };
    DeployedProcess { row, executable: process.executable.clone(), evaluator: process.evaluator.clone() }
}

fn insert(index: &mut Index, process: Arc<DeployedProcess>) {
    let versions = index.entry((process.row.tenant.clone(), process.row.id.clone())).or_default();
    versions.retain(|known| known.row.version != process.row.version);
    versions.push(process);
    versions.sort_by_key(|known| known.row.version);
}

/// What stands of a process: its published or disabled version.
fn standing(index: &Index, (tenant, process): &(String, String)) -> Standing {
    let stands =
        |known: &&Arc<DeployedProcess>| matches!(known.row.state, DefinitionState::Published | DefinitionState::Disabled);
    let version = index.get(&(tenant.clone(), process.clone())).and_then(|versions| versions.iter().find(stands)).cloned();
    Standing { tenant: tenant.clone(), process: process.clone(), version }
}
