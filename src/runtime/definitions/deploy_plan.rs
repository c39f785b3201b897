//! The plan of a deploy: what it changes and what it reports, computed before anything is written.
//! Deploys, `/v1/definition-checks` and the command line all compute this plan, so a check reports
//! exactly what a deploy reports: the same problems in the same order.
//!
//! Not here: writing the plan (`Definitions::deploy`), the rules for a single definition
//! (`model::validate`).
//!
//! # Rationale
//!
//! **A check makes the plan of a deploy and drops it**, so both report the same. Times are compared
//! with the clock only in that plan: a stored definition stays valid while its times pass.

use std::{collections::BTreeSet, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    CompiledMemory, Deploy, DeployError, Deployed, DeployedProcess, KnownVersion, Versions,
    cycle_warnings::{self, DecidedDeploy},
    start_data, times, unknown_processes, workflows,
};
use crate::{
    expression,
    journal::{DefinitionFormat, DefinitionRow, DefinitionState, PackedSource},
    limits,
    model::{
        compile,
        definition::ProcessDefinition,
        evaluator::Evaluator,
        executable::ExecutableProcess,
        ids::Time,
        problem::{Problem, Severity},
        source::{SourceFormat, read_source},
    },
    runtime::http_calls::HttpCallSettings,
};

/// A process that can run, with the warnings of reading and compiling it.
type CompiledProcess = (Arc<ExecutableProcess>, Arc<dyn Evaluator>, Vec<Problem>);

/// A compiled source: the part of a deploy that takes long and needs no other definition.
pub(super) struct CompiledSource {
    /// The source, which its processes share.
    source: PackedSource,
    /// The hash of the source.
    revision: String,
    /// The ids of all its processes.
    ids: BTreeSet<String>,
    /// Each process, in document order, or its problems.
    processes: Vec<Result<CompiledProcess, Vec<Problem>>>,
}

impl CompiledSource {
    /// Reads and compiles a source.
    ///
    /// # Errors
    /// All problems of a source that cannot be read.
    pub(super) fn compile(source: Arc<[u8]>, format: SourceFormat) -> Result<Self, Vec<Problem>> {
        let read = read_source(&source, format).map_err(bounded)?;
        if read.len() > limits::PROCESSES_PER_SOURCE {
            let message = format!(
                "expected at most {} executable processes in one source, but there are {}: each \
                keeps the whole source; deploy them in several sources",
                limits::PROCESSES_PER_SOURCE,
                read.len()
            );
            return Err(vec![Problem::error("", "too_large", message)]);
        }
        let revision = content_hash(&source);
        let packed = PackedSource::pack(&source)
            .map_err(|error| vec![Problem::error("", "too_large", error.to_string())])?;
        let ids = read
            .iter()
            .map(|(definition, _)| definition.id.clone())
            .collect();
        let processes = read
            .into_iter()
            .map(|(definition, warnings)| compile_definition(definition, warnings))
            .collect();
        Ok(Self {
            source: packed,
            revision,
            ids,
            processes,
        })
    }

    /// Refuses a source whose author did not know the newest version of its first process, unless
    /// that version has the same content.
    pub(super) fn require_base(
        &self,
        versions: &Versions,
        deploy: &Deploy<'_>,
        base: u32,
    ) -> Result<(), DeployError> {
        let Some(Ok((executable, _, _))) = self.processes.first() else {
            return Ok(());
        };
        let id = &executable.definition.id;
        let newest = versions
            .of(deploy.tenant, id)
            .iter()
            .map(|known| &known.row)
            .filter(|row| row.state != DefinitionState::Deleted)
            .max_by_key(|row| row.version);
        match newest {
            Some(row) if row.version > base && row.revision != self.revision => {
                let based = match base {
                    0 => "this one was made as a new process".to_owned(),
                    base => format!("this one was made from version {base}"),
                };
                Err(DeployError::Conflict(format!(
                    "expected a change of the newest version of process '{id}', but {based}, and \
                    version {} was saved by {} at {}; merge that version into yours, or send \
                    base={}",
                    row.version, row.created_by, row.created_at, row.version
                )))
            }
            _ => Ok(()),
        }
    }
}

/// The changes of a deploy.
pub(super) struct Plan {
    /// All definitions after the deploy.
    pub(super) versions: Versions,
    /// The versions to write.
    pub(super) changed: Vec<Arc<KnownVersion>>,
    /// Each process of the source, in document order, with its warnings.
    pub(super) outcome: Vec<Deployed>,
    /// Their compiled forms.
    pub(super) deployed: Vec<Arc<ExecutableProcess>>,
}

impl Plan {
    /// Plans the deploy of compiled processes onto `versions`.
    ///
    /// # Errors
    /// All problems of all processes, in document order, if any of them is an error.
    pub(super) fn make(
        versions: &Versions,
        source: CompiledSource,
        deploy: &Deploy<'_>,
        http_calls: &HttpCallSettings,
    ) -> Result<Self, Vec<Problem>> {
        let CompiledSource {
            source,
            revision,
            ids,
            processes,
        } = source;
        let mut plan = Self {
            versions: versions.clone(),
            changed: Vec::new(),
            outcome: Vec::new(),
            deployed: Vec::new(),
        };
        let mut problems = Vec::new();
        for compiled in processes {
            let (executable, evaluator, mut found) = match compiled {
                Ok(compiled) => compiled,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            plan.deployed.push(executable.clone());
            let content = (&source, revision.as_str());
            let (known, existing) = place(
                &plan.versions,
                deploy,
                content,
                executable.clone(),
                evaluator,
            );
            found.extend(workflows::alias_taken(
                &plan.versions,
                deploy.tenant,
                &executable,
            ));
            found.extend(http_calls.warnings(&executable));
            found.extend(times::check(&executable, deploy.now, existing));
            let is_known =
                |id: &str| ids.contains(id) || is_known(&plan.versions, deploy.tenant, id);
            found.extend(unknown_processes::warnings(&executable, is_known));
            problems.extend(found.iter().cloned());
            plan.changed
                .extend(supersede(&mut plan.versions, &known.row));
            plan.versions.insert(&known);
            plan.outcome.push(Deployed {
                row: known.row.clone(),
                existing,
                problems: bounded(found),
            });
            plan.changed.push(Arc::new(known));
        }
        if problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(bounded(problems));
        }
        Ok(plan)
    }

    /// What remains to be done once this plan is carried out, or checked.
    pub(super) fn decided(self, tenant: &str) -> DecidedDeploy {
        DecidedDeploy {
            outcome: self.outcome,
            deployed: self.deployed,
            tenant: tenant.to_owned(),
            versions: self.versions,
        }
    }
}

/// Deploys without effect: what a server without any process would report for one source after the
/// other.
pub struct DeployCheck {
    versions: Versions,
    http_calls: HttpCallSettings,
}

impl DeployCheck {
    /// A check with the settings of a server.
    pub fn new(http_calls: HttpCallSettings) -> Self {
        Self {
            versions: Versions::default(),
            http_calls,
        }
    }

    /// The problems of a source, errors and warnings; if it has no error, later sources find its
    /// processes.
    pub fn deploy(&mut self, source: &[u8], format: SourceFormat, now: Time) -> Vec<Problem> {
        let deploy = Deploy {
            tenant: "default",
            source,
            format,
            publish: true,
            by: "check",
            now,
        };
        let planned = CompiledSource::compile(source.into(), format)
            .and_then(|compiled| Plan::make(&self.versions, compiled, &deploy, &self.http_calls));
        match planned {
            Ok(plan) => {
                let (outcome, versions) = plan.decided(deploy.tenant).warned_here();
                self.versions = versions;
                cycle_warnings::all(outcome)
            }
            Err(problems) => problems,
        }
    }
}

/// As many problems as an answer may list, and one that says how many more there are.
fn bounded(mut problems: Vec<Problem>) -> Vec<Problem> {
    let more = problems.split_off(problems.len().min(limits::DEFINITION_PROBLEMS));
    if !more.is_empty() {
        let errors = more
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count();
        let made = if errors > 0 {
            Problem::error
        } else {
            Problem::warning
        };
        let message = format!(
            "expected at most {} problems to list, but there are {} more, {errors} of them \
            errors; correct these first",
            limits::DEFINITION_PROBLEMS,
            more.len()
        );
        problems.push(made(String::new(), "more_problems", message));
    }
    problems
}

/// Compiles a stored version.
///
/// # Errors
/// The reason, as a sentence, why this server cannot run it.
pub(super) fn compile_row(row: DefinitionRow) -> Result<DeployedProcess, String> {
    let unusable = |why: String| {
        format!(
            "definition '{}' version {} cannot be run by this server: {why}",
            row.id, row.version
        )
    };
    let sentences = |problems: Vec<Problem>| {
        let errors = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        errors
            .map(|problem| problem.message.as_str())
            .collect::<Vec<_>>()
            .join("; ")
    };
    let source = match row.source.as_ref().map(PackedSource::text) {
        None => Vec::new(),
        Some(text) => text.map_err(|error| unusable(error.to_string()))?,
    };
    if content_hash(&source) != row.revision {
        return Err(unusable(
            "its source is not the one that was deployed, as its hash is another".to_owned(),
        ));
    }
    let read = read_source(&source, row.format.into())
        .map_err(|problems| unusable(sentences(problems)))?;
    let this = read
        .into_iter()
        .find(|(definition, _)| definition.id == row.id);
    let (definition, warnings) =
        this.ok_or_else(|| unusable("its source holds no such process".to_owned()))?;
    let (executable, evaluator, _) = compile_definition(definition, warnings)
        .map_err(|problems| unusable(sentences(problems)))?;
    let memory = CompiledMemory::of(&executable, source.len());
    Ok(DeployedProcess {
        row: DefinitionRow {
            source: None,
            ..row
        },
        executable,
        evaluator,
        memory,
    })
}

/// Runs both compilers, so that one deploy lists the problems of both.
fn compile_definition(
    definition: ProcessDefinition,
    mut problems: Vec<Problem>,
) -> Result<CompiledProcess, Vec<Problem>> {
    let evaluator = expression::compile(&definition);
    match (compile::compile(definition), evaluator) {
        (Ok((executable, warnings)), Ok(evaluator)) => {
            problems.extend(warnings);
            let of_start_data = start_data::check(&executable, evaluator.as_ref());
            let has_error = of_start_data
                .iter()
                .any(|problem| problem.severity == Severity::Error);
            problems.extend(of_start_data);
            if has_error {
                return Err(problems);
            }
            Ok((Arc::new(executable), evaluator, problems))
        }
        (model, conditions) => {
            problems.extend(model.map_or_else(|found| found, |(_, warnings)| warnings));
            problems.extend(conditions.err().into_iter().flatten());
            Err(problems)
        }
    }
}

fn is_known(versions: &Versions, tenant: &str, id: &str) -> bool {
    versions
        .find(tenant, id, |row| row.state != DefinitionState::Deleted)
        .is_some()
}

/// The version for this content: the existing one, or the next number.
fn place(
    versions: &Versions,
    deploy: &Deploy<'_>,
    (source, revision): (&PackedSource, &str),
    executable: Arc<ExecutableProcess>,
    evaluator: Arc<dyn Evaluator>,
) -> (KnownVersion, bool) {
    let memory = CompiledMemory::of(&executable, source.text_len());
    let id = executable.definition.id.clone();
    let state = if deploy.publish {
        DefinitionState::Published
    } else {
        DefinitionState::Draft
    };
    let is_same =
        |row: &DefinitionRow| row.state != DefinitionState::Deleted && row.revision == revision;
    if let Some(known) = versions.find(deploy.tenant, &id, is_same) {
        let keeps = !deploy.publish && known.row.state != DefinitionState::Replaced;
        let state = if keeps { known.row.state } else { state };
        let compiled = || {
            Arc::new(DeployedProcess {
                row: known.row.clone(),
                executable,
                evaluator,
                memory,
            })
        };
        let process = known.in_memory().unwrap_or_else(compiled);
        return (known.with_state_of(state, Some(process)), true);
    }
    let row = DefinitionRow {
        tenant: deploy.tenant.to_owned(),
        version: versions.next_number(deploy.tenant, &id),
        revision: revision.to_owned(),
        state,
        alias: executable.definition.alias,
        name: executable.name.clone(),
        format: match deploy.format {
            SourceFormat::BpmnXml => DefinitionFormat::Bpmn,
            SourceFormat::Json => DefinitionFormat::Json,
        },
        source: None,
        created_at: deploy.now,
        created_by: deploy.by.to_owned(),
        id,
    };
    let process = DeployedProcess {
        row,
        executable,
        evaluator,
        memory,
    };
    (KnownVersion::of(process, Some(source.clone())), false)
}

/// Keeps at most one draft and one published version, by changing the state of former ones. Returns
/// the versions that changed.
pub(super) fn supersede(versions: &mut Versions, row: &DefinitionRow) -> Vec<Arc<KnownVersion>> {
    let stepped_back = match row.state {
        DefinitionState::Draft => DefinitionState::Replaced,
        DefinitionState::Published => DefinitionState::Deprecated,
        DefinitionState::Disabled
        | DefinitionState::Deprecated
        | DefinitionState::Replaced
        | DefinitionState::Deleted => {
            return Vec::new();
        }
    };
    let is_superseded = |known: &DefinitionRow| {
        let disabled =
            known.state == DefinitionState::Disabled && row.state == DefinitionState::Published;
        (disabled || known.state == row.state) && known.version != row.version
    };
    let known = versions
        .of(&row.tenant, &row.id)
        .iter()
        .filter(|known| is_superseded(&known.row));
    let changed: Vec<_> = known
        .map(|known| Arc::new(known.with_state(stepped_back)))
        .collect();
    changed.iter().for_each(|known| versions.insert(known));
    changed
}

/// The revision of a source: the first 16 bytes of its SHA-256, in hex.
fn content_hash(source: &[u8]) -> String {
    Sha256::digest(source)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
