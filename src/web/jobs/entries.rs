//! Entries of workflows and jobs in lists and look-ups: a workflow with its newest job, or one job.
//!
//! A caller sees the jobs that `GET /v1/instances` would list, and one job by its id as `GET
//! /v1/instances/{key}` would. Not here: the entries of dashboard and history (`dashboard`).

use std::collections::{BTreeSet, HashMap};

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ascii,
    launch::Launch,
    refused::Refused,
    workflow::{Named, OfJob, OfWorkflow, WorkflowSearch, description},
};
use crate::{
    engine::{
        access::Caller,
        instance_outcome::{InstanceOutcome, is_approval},
        job_status::JobStatus,
        record::{ProcessRef, Status},
    },
    journal::{DefinitionState, InstanceRow, JobRow, StoreError, StoreReader},
    limits,
    model::ids::InstanceKey,
    runtime::definitions::DeployedProcess,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::{definitions::refused, listing::visible_to},
    },
};

/// A workflow with its newest job, or one job.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowEntry)]
#[serde(rename_all = "PascalCase")]
struct JobEntry<'a> {
    /// The id of its process.
    db_id: &'a str,
    /// The workflow's number.
    id: i64,
    /// The job's id; all zeros without a job.
    instance_id: InstanceKey,
    name: &'a str,
    /// Always empty.
    file_path: &'static str,
    /// How it is started: 0 with the server, 1 by a client, 2 periodically, 3 by a cron expression.
    #[schema(minimum = 0, maximum = 3)]
    launch_type: u8,
    is_enabled: bool,
    is_approval: bool,
    enable_parallel_jobs: bool,
    is_waiting_for_approval: bool,
    description: &'a str,
    is_running: bool,
    is_paused: bool,
    /// Between two starts: days, hours, minutes, seconds.
    #[schema(example = "00.00:30:00")]
    period: String,
    /// Empty if it has none.
    cron_expression: String,
    /// Always false.
    is_execution_graph_empty: bool,
    /// Always empty.
    local_variables: [LocalVariable; 0],
    /// In the configured format; empty without a job.
    #[schema(example = "07-03-2026 15:04:05")]
    started_on: String,
    /// Always 0.
    retry_count: u32,
    /// Always 0.
    retry_timeout: u32,
    /// A status by its name.
    #[schema(pattern = "^(Pending|Running|Done|Failed|Warning|Disabled|Stopped|Rejected)$")]
    status: &'static str,
}

/// A variable of a workflow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct LocalVariable {
    key: String,
    value: String,
}

/// A job as it is stored.
struct Job {
    row: InstanceRow,
    waits_for_approval: bool,
}

/// `GET /api/v1/workflow?w=…`: the workflow, with its newest job.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/api/v1/workflow", tag = "jobs", operation_id = "getWorkflow",
    summary = "Read a workflow with its newest job", params(OfWorkflow),
    responses((status = 200, body = JobEntry), (status = 403), (status = 404)))]
pub async fn workflow(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let number = Named::read(&request)?.workflow()?;
    let process = app.workflow(&principal.caller, number)?;
    let mut jobs = newest(&app, &principal.caller, vec![process.row.id.clone()], 1).await?;
    let job = jobs.pop().and_then(|mut jobs| jobs.pop());
    Ok(ascii::answer(&entry(&app, number, &process, job.as_ref())))
}

/// `GET /api/v1/job?w=…&i=…`: one job.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/api/v1/job", tag = "jobs", operation_id = "getJob", summary = "Read \
    a job", params(OfWorkflow, OfJob),
    responses((status = 200, body = JobEntry), (status = 404)))]
pub async fn job(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let named = Named::read(&request)?;
    let (number, key) = (named.workflow()?, named.job()?);
    let observed = app.job(&principal.caller, number, key).await?;
    let read = app
        .read(&principal.caller, move |reader| {
            StoredJob::read(reader, key)
        })
        .await?;
    let mut found = with_approvals(&app, read.into_iter().collect()).await?;
    let found = found.pop();
    Ok(ascii::answer(&entry(
        &app,
        number,
        &observed.process,
        found.as_ref(),
    )))
}

/// `GET /api/v1/jobs?w=…`: the newest jobs of a workflow, at most 100, newest first.
///
/// # Errors
/// 400, 401, 403 for the token of one instance tree, 404.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", operation_id = "listJobs", summary = "List \
    the newest jobs of a workflow",
    params(OfWorkflow), responses((status = 200, body = Vec<JobEntry>), (status = 403), (status = 404)))]
pub async fn jobs(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let number = Named::read(&request)?.workflow()?;
    let process = app.workflow(&principal.caller, number)?;
    let jobs = newest(
        &app,
        &principal.caller,
        vec![process.row.id.clone()],
        limits::LISTED,
    )
    .await?;
    let entries: Vec<JobEntry<'_>> = jobs
        .iter()
        .flatten()
        .map(|job| entry(&app, number, &process, Some(job)))
        .collect();
    Ok(ascii::answer(&entries))
}

/// `GET /api/v1/search?s=…`: the workflows whose name, description or number contains the text.
///
/// # Errors
/// 401, 403 for the token of one instance tree.
#[utoipa::path(get, path = "/api/v1/search", tag = "jobs", operation_id = "searchWorkflows", summary = "Search \
    workflows",
    params(WorkflowSearch), responses((status = 200, body = Vec<JobEntry>), (status = 403)))]
pub async fn search(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    found(&request, &app, |_| true).await
}

/// `GET /api/v1/search-approval-workflows?s=…`: those of them that have an approval.
///
/// # Errors
/// As [`search`].
#[utoipa::path(get, path = "/api/v1/search-approval-workflows", tag = "jobs", operation_id = "searchApprovalWorkflows",
    summary = "Search workflows with an approval", params(WorkflowSearch), responses((status = 200, body = Vec<JobEntry>), (status = 403)))]
pub async fn search_approvals(
    request: HttpRequest,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    found(&request, &app, has_approval).await
}

async fn found(
    request: &HttpRequest,
    app: &App,
    wanted: impl Fn(&DeployedProcess) -> bool,
) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(request)?;
    let text = Named::read(request)?.keyword();
    let mut workflows = app
        .sessions
        .runtime
        .definitions
        .workflows(&principal.caller.tenant);
    workflows.retain(|(number, process)| {
        let texts = [
            number.to_string(),
            process.row.name.to_lowercase(),
            description(process).to_lowercase(),
        ];
        wanted(process) && texts.iter().any(|found| found.contains(&text))
    });
    let processes = workflows
        .iter()
        .map(|(_, process)| process.row.id.clone())
        .collect();
    let jobs = newest(app, &principal.caller, processes, 1).await?;
    let with_jobs = workflows.iter().zip(&jobs);
    let entries: Vec<JobEntry<'_>> = with_jobs
        .map(|((number, process), jobs)| entry(app, *number, process, jobs.first()))
        .collect();
    Ok(ascii::answer(&entries))
}

/// The newest jobs of each of these processes.
async fn newest(
    app: &App,
    caller: &Caller,
    processes: Vec<String>,
    limit: usize,
) -> Result<Vec<Vec<Job>>, HttpProblem> {
    let (tenant, started_by) = (caller.tenant.clone(), visible_to(caller)?.started_by);
    let read = app.read(caller, move |reader| {
        let of = |process: String| {
            let jobs = reader.newest_jobs(&tenant, &process, started_by.as_deref(), limit)?;
            let read = |job: JobRow| StoredJob::read(reader, job.instance).transpose();
            jobs.into_iter().filter_map(read).collect()
        };
        processes
            .into_iter()
            .map(of)
            .collect::<Result<Vec<Vec<_>>, StoreError>>()
    });
    let mut newest = Vec::new();
    for jobs in read.await? {
        newest.push(with_approvals(app, jobs).await?);
    }
    Ok(newest)
}

/// A stored job, with the nodes of its tasks.
struct StoredJob {
    row: InstanceRow,
    tasks: BTreeSet<String>,
}

impl StoredJob {
    fn read(reader: &dyn StoreReader, key: InstanceKey) -> Result<Option<Self>, StoreError> {
        let Some(row) = reader.instance(key)? else {
            return Ok(None);
        };
        let tasks = reader.tasks_of(key)?.into_iter();
        Ok(Some(Self {
            row,
            tasks: tasks.map(|task| task.node).collect(),
        }))
    }

    fn process(&self) -> ProcessRef {
        ProcessRef {
            id: self.row.process.clone(),
            version: self.row.version,
            revision: self.row.revision.clone(),
        }
    }
}

/// The jobs, each with whether one of its tasks is an approval in the version that it runs. A
/// version that is not in memory is compiled on a script thread, where others have their turns; one
/// at a time, and it does not stay in memory.
async fn with_approvals(app: &App, stored: Vec<StoredJob>) -> Result<Vec<Job>, HttpProblem> {
    let definitions = &app.sessions.runtime.definitions;
    let mut waiting: BTreeSet<InstanceKey> = BTreeSet::new();
    let mut of_version: HashMap<(String, u32, String), Vec<&StoredJob>> = HashMap::new();
    for job in stored.iter().filter(|job| !job.tasks.is_empty()) {
        let ProcessRef {
            id,
            version,
            revision,
        } = job.process();
        of_version
            .entry((id, version, revision))
            .or_default()
            .push(job);
    }
    for jobs in of_version.into_values() {
        let known = definitions.of_instance(&jobs[0].row.tenant, &jobs[0].process());
        let Some(known) = known else { continue };
        let process = definitions.process(&known).await.map_err(refused)?;
        let is_one = |node: &String| process.executable.node(node).is_some_and(is_approval);
        let wait = jobs.iter().filter(|job| job.tasks.iter().any(is_one));
        waiting.extend(wait.map(|job| job.row.key));
    }
    let entry = |job: StoredJob| Job {
        waits_for_approval: waiting.contains(&job.row.key),
        row: job.row,
    };
    Ok(stored.into_iter().map(entry).collect())
}

fn entry<'a>(
    app: &App,
    number: i64,
    process: &'a DeployedProcess,
    job: Option<&Job>,
) -> JobEntry<'a> {
    let schedules = app
        .sessions
        .runtime
        .schedules
        .list(&process.row.tenant, Some(&process.row.id));
    let launch = Launch::of(&schedules);
    let is_switched_off =
        !schedules.is_empty() && schedules.iter().all(|schedule| !schedule.row.enabled);
    let is_enabled = process.row.state == DefinitionState::Published && !is_switched_off;
    let status = job.and_then(Job::status);
    let entry = match (status, job) {
        (Some(status), Some(job)) => JobStatus::of(status, job.outcome()),
        _ if is_enabled => JobStatus::Pending,
        _ => JobStatus::Disabled,
    };
    JobEntry {
        db_id: &process.row.id,
        id: number,
        instance_id: job.map(|job| job.row.key).unwrap_or_default(),
        name: &process.row.name,
        file_path: "",
        launch_type: launch.number(),
        is_enabled,
        is_approval: has_approval(process),
        enable_parallel_jobs: true,
        is_waiting_for_approval: job.is_some_and(|job| job.waits_for_approval),
        description: description(process),
        is_running: status.is_some_and(Status::is_live),
        is_paused: status == Some(Status::OnHold),
        period: launch.period(),
        cron_expression: launch.cron_expression(),
        is_execution_graph_empty: false,
        local_variables: [],
        started_on: job
            .map(|job| app.date_time(job.row.created_at))
            .unwrap_or_default(),
        retry_count: 0,
        retry_timeout: 0,
        status: entry.name(),
    }
}

fn has_approval(process: &DeployedProcess) -> bool {
    process.executable.nodes().iter().any(is_approval)
}

impl Job {
    fn status(&self) -> Option<Status> {
        Status::named(&self.row.status)
    }

    fn outcome(&self) -> Option<InstanceOutcome> {
        self.row.outcome.as_deref().and_then(InstanceOutcome::named)
    }
}
