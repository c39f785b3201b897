//! The deployed process definitions: read once at start, and replaced as a whole by each change.
//!
//! A deploy compiles first, then decides; its decision is durable before it is visible (`durable`).
//! Running instances stay on their version. The compiled forms of versions that instances may start
//! with are always in memory; those of former versions leave memory and are compiled again when
//! needed (`on_demand`).
//!
//! Not here: what a definition means (`model`), how it is stored (`journal`).

mod compile_queue;
mod cycle_warnings;
mod cycles;
mod damage;
mod deploy_plan;
mod known_version;
mod lookups;
mod on_demand;
mod removal;
mod start_data;
mod times;
mod unknown_processes;
mod workflows;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use tokio::sync::watch;

use super::{
    catalog::{Catalog, CatalogChange, CatalogTable, Versions},
    clock::Clock,
    durable::{NoAnswer, TableDecision},
    http_calls::HttpCallSettings,
    lists::Lists,
    room_policy,
    schedules::{CurrentVersion, Schedules},
    step_threads::StepThreads,
};
use crate::{
    engine::record::ProcessRef,
    journal::{
        Damaged, DefinitionRow, DefinitionState, Journal, ScheduleRow, StoreError, StoreReader,
        StoredKind, VersionInUse, disk_room::DiskRoom,
    },
    model::{
        evaluator::Evaluator,
        executable::ExecutableProcess,
        ids::Time,
        problem::Problem,
        source::{SourceFormat, read_source},
    },
};

use compile_queue::Compiling;
use cycle_warnings::DecidedDeploy;
use deploy_plan::{Plan, compile_row, supersede};
use on_demand::RecentlyUsed;

pub use deploy_plan::DeployCheck;
pub use known_version::{CompiledMemory, KnownVersion};

/// A version of a definition, compiled.
pub struct DeployedProcess {
    /// As stored, without its source.
    pub row: DefinitionRow,
    /// The compiled form, which the engine runs.
    pub executable: Arc<ExecutableProcess>,
    /// Its conditions and schemas.
    pub evaluator: Arc<dyn Evaluator>,
    /// The memory that all of this takes.
    pub memory: Arc<CompiledMemory>,
}

impl fmt::Debug for DeployedProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.row.id, self.row.version)
    }
}

impl DeployedProcess {
    /// The reference that instances record.
    pub fn reference(&self) -> ProcessRef {
        ProcessRef {
            id: self.row.id.clone(),
            version: self.row.version,
            revision: self.row.revision.clone(),
        }
    }

    /// Ids of the processes that it starts or calls by a fixed name.
    pub fn started_processes(&self) -> Vec<String> {
        unknown_processes::started(&self.executable)
    }

    /// Whether instances of it may start.
    pub fn is_published(&self) -> bool {
        self.row.state == DefinitionState::Published
    }
}

/// The outcome of a deploy.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The version that has this content now.
    pub row: DefinitionRow,
    /// Whether the version existed before.
    pub existing: bool,
    /// Warnings.
    pub problems: Vec<Problem>,
}

/// Why a deploy or publish had no effect.
#[derive(Debug)]
pub enum DeployError {
    /// The source has errors; all problems.
    Invalid(Vec<Problem>),
    /// No such definition or version.
    NotFound,
    /// The state of the version or of another process does not allow it; the sentence says why.
    Conflict(String),
    /// The writer's queue is full.
    Busy,
    /// The server is shutting down; nothing was changed.
    Closed,
    /// The disk has too little free space; nothing was changed.
    NoRoom(DiskRoom),
    /// The disk failed; the change may or may not be durable.
    Unknown,
    /// The store cannot be read.
    Store(StoreError),
}

impl From<NoAnswer> for DeployError {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Busy => Self::Busy,
            NoAnswer::NoRoom => Self::NoRoom(DiskRoom::Full),
            NoAnswer::Unknown => Self::Unknown,
        }
    }
}

/// The definitions.
pub struct Definitions {
    table: CatalogTable,
    journal: Journal,
    schedules: Arc<Schedules>,
    http_calls: HttpCallSettings,
    compiling: Compiling,
    used_of_late: RecentlyUsed,
    /// The threads on which former versions are compiled again.
    scripts: Arc<StepThreads>,
    /// Versions of live instances that could not be found at start.
    stranded: OnceLock<Vec<VersionInUse>>,
}

/// The definitions and schedules of a store.
#[derive(Default)]
pub struct StoredCatalog {
    versions: Catalog,
    schedules: Vec<ScheduleRow>,
}

impl StoredCatalog {
    /// Reads and compiles what a store holds, one version after the other. Versions that this
    /// server cannot run are left out and noted; their numbers stay taken.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn read(reader: &dyn StoreReader, damaged: &Damaged) -> Result<Self, StoreError> {
        let mut versions = Catalog::default();
        for (tenant, id, version) in reader.definition_numbers()? {
            versions.take_number(tenant, id, version);
        }
        reader.each_definition(&mut |row| {
            let name = format!("version {} of '{}'", row.version, row.id);
            match compile_row(row) {
                Ok(process) => versions.add(process),
                Err(sentence) => damaged.note(StoredKind::Definition, &name, &sentence),
            }
        })?;
        Ok(Self {
            versions,
            schedules: reader.schedules()?,
        })
    }
}

impl Definitions {
    /// The definitions and schedules that a store holds.
    pub fn of(
        journal: Journal,
        stored: StoredCatalog,
        clock: Clock,
        http_calls: HttpCallSettings,
        scripts: Arc<StepThreads>,
    ) -> (Arc<Self>, Arc<Schedules>) {
        let StoredCatalog {
            versions,
            schedules,
        } = stored;
        let table = versions.into_table(journal.clone(), schedules);
        let schedules = Schedules::of(table.clone(), clock);
        let definitions = Self {
            table,
            journal,
            schedules: schedules.clone(),
            http_calls,
            compiling: Compiling::default(),
            used_of_late: RecentlyUsed::default(),
            scripts,
            stranded: OnceLock::new(),
        };
        (Arc::new(definitions), schedules)
    }

    /// Announces every change from now on to the followers of lists.
    pub(super) fn announce_to(&self, lists: &Lists) {
        self.table.announce_to(lists);
    }

    /// Wakes for every change from now on: a deploy, another state of a version, a schedule.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.table.changes()
    }

    /// Deploys the processes of a source, all or none: as drafts, or published. The same content
    /// stays the same version.
    ///
    /// # Errors
    /// [`DeployError::Invalid`] with every problem, errors and warnings.
    pub async fn deploy(&self, deploy: Deploy<'_>) -> Result<Vec<Deployed>, DeployError> {
        self.deploy_on(deploy, None).await
    }

    /// [`Self::deploy`] on top of a version: `base` is the newest version of the source's first
    /// process that its author knows, 0 for none.
    ///
    /// # Errors
    /// As [`Self::deploy`]; [`DeployError::Conflict`] when there is a newer version with another
    /// content.
    pub async fn deploy_on(
        &self,
        deploy: Deploy<'_>,
        base: Option<u32>,
    ) -> Result<Vec<Deployed>, DeployError> {
        let room = self.journal.room().now();
        room_policy::admit_large(room).map_err(|_| DeployError::NoRoom(room))?;
        let compiled = self.compiling.compile(&deploy).await?;
        let decide = |catalog: &Catalog| {
            if let Some(base) = base {
                compiled.require_base(catalog.versions(), &deploy, base)?;
            }
            let mut plan = Plan::make(catalog.versions(), compiled, &deploy, &self.http_calls)
                .map_err(DeployError::Invalid)?;
            let changed = std::mem::take(&mut plan.changed);
            plan.versions
                .require_room(catalog.versions(), deploy.tenant)?;
            Ok(TableDecision {
                change: Some(self.with_schedules(catalog, &plan.versions, changed)),
                answer: plan.decided(deploy.tenant),
            })
        };
        let decided: Result<DecidedDeploy, DeployError> = self.table.change(decide).await?;
        Ok(decided?.warned().await)
    }

    /// The problems that a deploy would report, without deploying: the errors that would refuse it
    /// and the warnings, in the same order.
    ///
    /// # Errors
    /// [`DeployError::Busy`] when too many sources wait to be compiled.
    pub async fn check(&self, deploy: &Deploy<'_>) -> Result<Vec<Problem>, DeployError> {
        let compiled = match self.compiling.compile(deploy).await {
            Err(DeployError::Invalid(problems)) => return Ok(problems),
            compiled => compiled?,
        };
        let planned = self
            .table
            .read(|catalog| Plan::make(catalog.versions(), compiled, deploy, &self.http_calls));
        match planned {
            Ok(plan) => Ok(cycle_warnings::all(
                plan.decided(deploy.tenant).warned().await,
            )),
            Err(problems) => Ok(problems),
        }
    }

    /// Deploys those processes of a source whose ids have never been used: a deleted process does
    /// not come back.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub async fn deploy_if_unknown(
        &self,
        deploy: Deploy<'_>,
    ) -> Result<Vec<Deployed>, DeployError> {
        let read = read_source(deploy.source, deploy.format).map_err(DeployError::Invalid)?;
        if read
            .iter()
            .all(|(definition, _)| self.has_number(deploy.tenant, &definition.id))
        {
            return Ok(Vec::new());
        }
        self.deploy(deploy).await
    }

    /// Makes a version the one that new instances run.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown version, [`DeployError::Conflict`] when its alias
    /// has meanwhile been taken by another process.
    pub async fn publish(
        self: &Arc<Self>,
        tenant: &str,
        id: &str,
        version: u32,
    ) -> Result<DefinitionRow, DeployError> {
        let compiled = match self.undeleted(tenant, id, version) {
            Some(known) => Some(self.process(&known).await?),
            None => None,
        };
        let decide = |catalog: &Catalog| {
            let known = undeleted(catalog, tenant, id, version)?;
            // A version that is not visible yet is in memory.
            let process = compiled.or_else(|| known.in_memory());
            let process = process.ok_or(DeployError::Busy)?;
            // Another process may have taken the alias while this version was deprecated.
            if let Some(problem) =
                workflows::alias_taken(catalog.versions(), tenant, &process.executable)
            {
                return Err(DeployError::Conflict(problem.message));
            }
            let published = known.with_state_of(DefinitionState::Published, Some(process));
            let decision = self.turn(catalog, &known, published);
            if let Some(CatalogChange { versions, .. }) = &decision.change {
                let mut after = catalog.versions().clone();
                versions.iter().for_each(|known| after.insert(known));
                after.require_room(catalog.versions(), tenant)?;
            }
            Ok(decision)
        };
        self.table.change(decide).await?
    }

    /// Takes the published version back: nothing new starts until one is published again, running
    /// instances continue. A version that is deprecated already stays so.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] for an unknown version, [`DeployError::Conflict`] for one that was
    /// never published.
    pub async fn deprecate(
        &self,
        tenant: &str,
        id: &str,
        version: u32,
    ) -> Result<DefinitionRow, DeployError> {
        let decide = |catalog: &Catalog| {
            let known = undeleted(catalog, tenant, id, version)?;
            match known.row.state {
                DefinitionState::Published
                | DefinitionState::Disabled
                | DefinitionState::Deprecated => {
                    let deprecated = known.with_state(DefinitionState::Deprecated);
                    Ok(self.turn(catalog, &known, deprecated))
                }
                DefinitionState::Draft | DefinitionState::Replaced | DefinitionState::Deleted => {
                    Err(DeployError::Conflict(format!(
                        "expected a published version to deprecate, but version {version} of \
                        '{id}' is a draft"
                    )))
                }
            }
        };
        self.table.change(decide).await?
    }

    /// Replaces the evaluator of a process: tests use it to break a step.
    #[cfg(test)]
    pub fn evaluate_with(&self, id: &str, evaluator: &Arc<dyn Evaluator>) {
        let other = |process: &DeployedProcess| DeployedProcess {
            row: process.row.clone(),
            executable: process.executable.clone(),
            evaluator: evaluator.clone(),
            memory: process.memory.clone(),
        };
        self.table.tamper(|catalog| catalog.replace_all(id, other));
    }

    /// Changes the state of a version, and of the versions that it replaces. A version that already
    /// has the state stays as it is.
    fn turn(
        &self,
        catalog: &Catalog,
        before: &KnownVersion,
        after: KnownVersion,
    ) -> TableDecision<CatalogChange, DefinitionRow> {
        if before.row.state == after.row.state {
            return TableDecision {
                change: None,
                answer: before.row.clone(),
            };
        }
        let after = Arc::new(after);
        let mut versions = catalog.versions().clone();
        let mut changed = supersede(&mut versions, &after.row);
        versions.insert(&after);
        changed.push(after.clone());
        TableDecision {
            change: Some(self.with_schedules(catalog, &versions, changed)),
            answer: after.row.clone(),
        }
    }

    /// The change for these versions, with its effects on schedules; `versions` are all versions
    /// after it.
    fn with_schedules(
        &self,
        catalog: &Catalog,
        versions: &Versions,
        changed: Vec<Arc<KnownVersion>>,
    ) -> CatalogChange {
        let processes: BTreeSet<_> = changed
            .iter()
            .map(|process| (process.row.tenant.clone(), process.row.id.clone()))
            .collect();
        let follow = |process: (String, String)| {
            let version = versions.current(&process.0, &process.1);
            self.schedules.follow(
                catalog,
                &CurrentVersion {
                    tenant: process.0,
                    process: process.1,
                    version,
                },
            )
        };
        CatalogChange {
            schedules: processes.into_iter().flat_map(follow).collect(),
            versions: changed,
        }
    }
}

/// The definitions to deploy.
pub struct Deploy<'a> {
    /// Tenant it belongs to.
    pub tenant: &'a str,
    /// The source text.
    pub source: &'a [u8],
    /// The format of the source.
    pub format: SourceFormat,
    /// Publish at once.
    pub publish: bool,
    /// Who deploys.
    pub by: &'a str,
    /// Process time.
    pub now: Time,
}

/// Whether this server can run a stored definition; otherwise the reason as a sentence.
///
/// # Errors
/// The reason.
pub fn is_usable(row: DefinitionRow) -> Result<(), String> {
    compile_row(row).map(drop)
}

/// A version that was not deleted.
fn undeleted(
    catalog: &Catalog,
    tenant: &str,
    id: &str,
    version: u32,
) -> Result<Arc<KnownVersion>, DeployError> {
    let wanted =
        |row: &DefinitionRow| row.version == version && row.state != DefinitionState::Deleted;
    catalog
        .versions()
        .find(tenant, id, wanted)
        .ok_or(DeployError::NotFound)
}
