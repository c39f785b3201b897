//! The deployed process definitions: read once at start, swapped as a whole when one changes.
//!
//! A deploy compiles first, then writes, then becomes visible. Running instances stay on their version: versions are never
//! taken out of memory. Not here: what a definition means (`model`), how it is stored (`journal`).

mod removal;
mod start_data;
mod workflows;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::{
    outside::OutsideSettings,
    schedules::{Schedules, Standing},
};
use crate::{
    engine::record::ProcessRef,
    expression,
    journal::{Busy, DefinitionFormat, DefinitionRow, DefinitionState, Journal, StoreError},
    model::{
        compile,
        definition::ProcessDefinition,
        evaluator::Evaluator,
        executable::ExecutableProcess,
        ids::Time,
        problem::{Problem, Severity},
        source::{SourceFormat, read_source},
    },
};

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
        let compiled = compile_source(deploy.source, deploy.format).map_err(DeployError::Invalid)?;
        let _changing = self.changing.lock().await;
        let mut index = Index::clone(&self.index.load());
        let mut changed = Vec::new();
        let mut outcome = Vec::new();
        for (executable, evaluator, mut problems) in compiled {
            if let Some(problem) = workflows::alias_taken(&index, deploy.tenant, &executable) {
                problems.push(problem);
                return Err(DeployError::Invalid(problems));
            }
            problems.extend(self.outside.warnings(&executable));
            let (process, existing) = place(&index, &deploy, executable, evaluator);
            changed.extend(supersede(&mut index, &process));
            insert(&mut index, process.clone());
            changed.push(process.row.clone());
            outcome.push(Deployed { row: process.row.clone(), existing, problems });
        }
        self.write(index, changed).await?;
        Ok(outcome)
    }

    /// What a deploy of a source would tell, without deploying it: errors that would refuse it, and warnings.
    pub fn check(&self, tenant: &str, source: &[u8], format: SourceFormat) -> Vec<Problem> {
        let compiled = match compile_source(source, format) {
            Ok(compiled) => compiled,
            Err(problems) => return problems,
        };
        let index = self.index.load();
        let told = |(executable, _, mut problems): Compiled| {
            problems.extend(workflows::alias_taken(&index, tenant, &executable));
            problems
        };
        compiled.into_iter().flat_map(told).collect()
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

type Compiled = (Arc<ExecutableProcess>, Arc<dyn Evaluator>, Vec<Problem>);

fn compile_source(source: &[u8], format: SourceFormat) -> Result<Vec<Compiled>, Vec<Problem>> {
    let mut compiled = Vec::new();
    let mut problems = Vec::new();
    for (definition, warnings) in read_source(source, format)? {
        match compile_definition(definition, warnings) {
            Ok(one) => compiled.push(one),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(compiled) } else { Err(problems) }
}

/// Both compilers run, so that one deploy lists the problems of both.
fn compile_definition(definition: ProcessDefinition, mut problems: Vec<Problem>) -> Result<Compiled, Vec<Problem>> {
    let evaluator = expression::compile(&definition);
    match (compile::compile(definition), evaluator) {
        (Ok((executable, warnings)), Ok(evaluator)) => {
            problems.extend(warnings);
            let of_start_data = start_data::check(&executable, evaluator.as_ref());
            let has_error = of_start_data.iter().any(|problem| problem.severity == Severity::Error);
            problems.extend(of_start_data);
            if has_error {
                return Err(problems);
            }
            Ok((Arc::new(executable), evaluator, problems))
        }
        (model, conditions) => {
            problems.extend(model.err().into_iter().flatten());
            problems.extend(conditions.err().into_iter().flatten());
            Err(problems)
        }
    }
}

/// Whether this server can run a stored definition; else why not, as a sentence.
///
/// # Errors
/// The sentence.
pub fn is_usable(row: DefinitionRow) -> Result<(), String> {
    compile_row(row).map(drop)
}

/// What is wrong with a source, errors and warnings, without deploying it.
pub fn problems_of(source: &[u8], format: SourceFormat) -> Vec<Problem> {
    match compile_source(source, format) {
        Ok(compiled) => compiled.into_iter().flat_map(|(_, _, problems)| problems).collect(),
        Err(problems) => problems,
    }
}

fn compile_row(row: DefinitionRow) -> Result<DeployedProcess, String> {
    let unusable = |why: String| format!("definition '{}' version {} cannot be run by this server: {why}", row.id, row.version);
    let compiled = compile_source(&row.source, format_of(row.format))
        .map_err(|problems| unusable(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")))?;
    let this = compiled.into_iter().find(|(executable, ..)| executable.definition.id == row.id);
    let (executable, evaluator, _) = this.ok_or_else(|| unusable("its source holds no such process".to_owned()))?;
    Ok(DeployedProcess { row, executable, evaluator })
}

/// The version that stands for this content: the existing one, or the next.
fn place(
    index: &Index,
    deploy: &Deploy<'_>,
    executable: Arc<ExecutableProcess>,
    evaluator: Arc<dyn Evaluator>,
) -> (Arc<DeployedProcess>, bool) {
    let id = executable.definition.id.clone();
    let revision = content_hash(deploy.source);
    let state = if deploy.publish { DefinitionState::Published } else { DefinitionState::Draft };
    let versions = index.get(&(deploy.tenant.to_owned(), id.clone())).map_or(&[][..], Vec::as_slice);
    let stands = |known: &&Arc<DeployedProcess>| known.row.state != DefinitionState::Deleted;
    let same = versions.iter().rev().filter(stands).find(|known| known.row.revision == revision);
    if let Some(known) = same {
        let keeps = !deploy.publish && known.row.state != DefinitionState::Replaced;
        return (Arc::new(with_state(known, if keeps { known.row.state } else { state })), true);
    }
    let row = DefinitionRow {
        tenant: deploy.tenant.to_owned(),
        version: versions.iter().map(|known| known.row.version).max().unwrap_or(0) + 1,
        revision,
        state,
        alias: executable.definition.alias,
        name: executable.name.clone(),
        format: match deploy.format {
            SourceFormat::BpmnXml => DefinitionFormat::Bpmn,
            SourceFormat::Json => DefinitionFormat::Json,
        },
        source: deploy.source.to_vec(),
        created_at: deploy.now,
        created_by: deploy.by.to_owned(),
        id,
    };
    (Arc::new(DeployedProcess { row, executable, evaluator }), false)
}

/// At most one draft and one published version: the former one steps back. Returns the rows that changed.
fn supersede(index: &mut Index, process: &Arc<DeployedProcess>) -> Vec<DefinitionRow> {
    let stepped_back = match process.row.state {
        DefinitionState::Draft => DefinitionState::Replaced,
        DefinitionState::Published => DefinitionState::Deprecated,
        DefinitionState::Disabled | DefinitionState::Deprecated | DefinitionState::Replaced | DefinitionState::Deleted => {
            return Vec::new();
        }
    };
    let gives_way = |row: &DefinitionRow| {
        let disabled = row.state == DefinitionState::Disabled && process.row.state == DefinitionState::Published;
        (disabled || row.state == process.row.state) && row.version != process.row.version
    };
    let key = (process.row.tenant.clone(), process.row.id.clone());
    let mut changed = Vec::new();
    for known in index.entry(key).or_default() {
        if gives_way(&known.row) {
            *known = Arc::new(with_state(known, stepped_back));
            changed.push(known.row.clone());
        }
    }
    changed
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

fn format_of(format: DefinitionFormat) -> SourceFormat {
    match format {
        DefinitionFormat::Bpmn => SourceFormat::BpmnXml,
        DefinitionFormat::Json => SourceFormat::Json,
    }
}

/// The revision of a source: the first 16 bytes of its SHA-256, in hex.
fn content_hash(source: &[u8]) -> String {
    Sha256::digest(source)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
