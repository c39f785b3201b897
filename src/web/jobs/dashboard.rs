//! Entries of the dashboard and of the history: jobs by their outcome and time, page by page.
//!
//! The dashboard has every job that a caller may list, the history those that have ended. They are
//! read from the durable list of jobs, each order by an index. Names, descriptions and kinds of
//! start are those of the job's workflow as it is now; there are few, so an order by them is an
//! order of workflows. Not here: entries of workflows (`entries`), a job's log (`logs`).

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    ascii,
    launch::Launch,
    refused::Refused,
    workflow::{Named, OfWorkflow},
};
use crate::{
    engine::{access::Caller, job_status::JobStatus},
    journal::{JobFilter, JobOrder, JobRow},
    limits,
    model::ids::{InstanceKey, Time},
    runtime::definitions::KnownVersion,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::visible_to,
    },
};

/// A job in the dashboard or the history.
#[derive(Serialize, ToSchema)]
#[schema(as = JobEntry)]
#[serde(rename_all = "PascalCase")]
struct DashboardEntry<'a> {
    /// The job's id.
    id: InstanceKey,
    /// Its workflow's number.
    workflow_id: i64,
    /// Its workflow's name.
    name: &'a str,
    /// How its workflow is started: 0 with the server, 1 by a client, 2 periodically, 3 by a cron
    /// expression.
    #[schema(minimum = 0, maximum = 3)]
    launch_type: u8,
    /// The documentation of its workflow.
    description: &'a str,
    /// A status by its number.
    #[schema(minimum = 0, maximum = 7)]
    status: u8,
    /// Since when, in the configured format.
    #[schema(example = "07-03-2026 15:04:05")]
    status_date: String,
}

/// The entries to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct OfTime {
    /// A text in the name or description of the workflow; an empty one matches everything.
    s: Option<String>,
    /// In their status since this time or later, in milliseconds since 1970.
    #[param(example = 0)]
    from: f64,
    /// In their status since this time or earlier, in milliseconds since 1970.
    #[param(example = 4_102_444_800_000_i64)]
    to: f64,
}

/// The page and the order of entries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its description is used")]
struct OfPage {
    /// The number of the page, from 1.
    #[param(minimum = 1, example = 1)]
    page: u64,
    /// How many entries a page has.
    #[param(minimum = 1, maximum = 1000, example = 10)]
    entries_count: u64,
    /// The order: 0 date, 2 number, 4 name, 6 kind of start, 8 description, 10 status, each plus 1
    /// for the opposite direction.
    #[param(minimum = 0, maximum = 11, example = 1)]
    heo: u8,
}

/// The job whose entry is read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct OfEntry {
    /// The job's id; if absent, the job whose status changed last.
    i: Option<uuid::Uuid>,
}

/// The jobs that have entries.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// All.
    Dashboard,
    /// Those that have ended.
    History,
}

/// `GET /api/v1/search-entries-by-page-order-by`: a page of the dashboard.
///
/// # Errors
/// 400, 401, 403 for the token of one instance tree.
#[utoipa::path(get, path = "/api/v1/search-entries-by-page-order-by", tag = "jobs", operation_id = "searchJobEntries",
    summary = "List jobs page by page", params(OfTime, OfPage), responses((status = 200, body = Vec<DashboardEntry>), (status = 403)))]
pub async fn search(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    page(&request, &app, Kind::Dashboard).await
}

/// `GET /api/v1/search-history-entries-by-page-order-by`: a page of the history.
///
/// # Errors
/// As [`search`].
#[utoipa::path(get, path = "/api/v1/search-history-entries-by-page-order-by", tag = "jobs", operation_id = "searchHistoryEntries",
    summary = "List ended jobs page by page", params(OfTime, OfPage),
    responses((status = 200, body = Vec<DashboardEntry>), (status = 403)))]
pub async fn search_history(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    page(&request, &app, Kind::History).await
}

/// `GET /api/v1/entries-count-by-date`: how many entries the dashboard has.
///
/// # Errors
/// As [`search`].
#[utoipa::path(get, path = "/api/v1/entries-count-by-date", tag = "jobs", operation_id = "countJobEntries", summary = "Count \
    jobs",
    params(OfTime), responses((status = 200, body = u64, content_type = "application/json", description = "How \
        many"), (status = 403)))]
pub async fn count(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    counted(&request, &app, Kind::Dashboard).await
}

/// `GET /api/v1/history-entries-count-by-date`: how many entries the history has.
///
/// # Errors
/// As [`search`].
#[utoipa::path(get, path = "/api/v1/history-entries-count-by-date", tag = "jobs", operation_id = "countHistoryEntries",
    summary = "Count ended jobs", params(OfTime),
    responses((status = 200, body = u64, content_type = "application/json", description = "How \
        many"), (status = 403)))]
pub async fn count_history(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    counted(&request, &app, Kind::History).await
}

/// `GET /api/v1/entry-status-date-min`: the earliest time since when a job has its status; the
/// present time if there are no jobs.
///
/// # Errors
/// 401, 403 for the token of one instance tree.
#[utoipa::path(get, path = "/api/v1/entry-status-date-min", tag = "jobs", operation_id = "getFirstJobDate",
    summary = "Read the earliest date of a status",
    responses((status = 200, body = i64, content_type = "application/json", description = "Milliseconds \
        since 1970"), (status = 403)))]
pub async fn date_min(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    outermost(&request, &app, Kind::Dashboard, false).await
}

/// `GET /api/v1/entry-status-date-max`: the latest one.
///
/// # Errors
/// As [`date_min`].
#[utoipa::path(get, path = "/api/v1/entry-status-date-max", tag = "jobs", operation_id = "getLastJobDate",
    summary = "Read the latest date of a status",
    responses((status = 200, body = i64, content_type = "application/json", description = "Milliseconds \
        since 1970"), (status = 403)))]
pub async fn date_max(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    outermost(&request, &app, Kind::Dashboard, true).await
}

/// `GET /api/v1/history-entry-status-date-min`: the earliest end of a job; the present time if none
/// has ended.
///
/// # Errors
/// As [`date_min`].
#[utoipa::path(get, path = "/api/v1/history-entry-status-date-min", tag = "jobs", operation_id = "getFirstHistoryDate",
    summary = "Read the earliest end of a job",
    responses((status = 200, body = i64, content_type = "application/json", description = "Milliseconds \
        since 1970"), (status = 403)))]
pub async fn history_date_min(
    request: HttpRequest,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    outermost(&request, &app, Kind::History, false).await
}

/// `GET /api/v1/history-entry-status-date-max`: the latest one.
///
/// # Errors
/// As [`date_min`].
#[utoipa::path(get, path = "/api/v1/history-entry-status-date-max", tag = "jobs", operation_id = "getLastHistoryDate",
    summary = "Read the latest end of a job",
    responses((status = 200, body = i64, content_type = "application/json", description = "Milliseconds \
        since 1970"), (status = 403)))]
pub async fn history_date_max(
    request: HttpRequest,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    outermost(&request, &app, Kind::History, true).await
}

/// `GET /api/v1/entry?w=…&i=…`: the entry of a job, or `null` if there is none that the caller may
/// see; without `i`, that of the workflow's job whose status changed last.
///
/// # Errors
/// 400, 401, 403 for the token of one instance tree.
#[utoipa::path(get, path = "/api/v1/entry", tag = "jobs", operation_id = "getJobEntry", summary = "Read \
    a job's entry",
    params(OfWorkflow, OfEntry),
    responses((status = 200, body = Option<DashboardEntry>, description = "The entry, or null"), (status = 403)))]
pub async fn entry(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let named = Named::read(&request)?;
    let number = named.workflow()?;
    let workflows: Vec<Workflow> = Workflow::all(&app, &principal.caller)
        .into_iter()
        .filter(|one| one.number == number)
        .collect();
    let job = match named.job_text() {
        Some(text) => one(&app, &principal.caller, number, text).await?,
        None => {
            let filter = everything(&principal.caller, processes(&workflows), Kind::Dashboard)?;
            let newest = JobOrder::StatusAt { descending: true };
            app.read(&principal.caller, move |reader| {
                reader.jobs(&filter, newest, 0, 1)
            })
            .await?
            .pop()
        }
    };
    let entry = job
        .as_ref()
        .zip(workflows.first())
        .map(|(job, workflow)| workflow.entry(&app, job));
    Ok(ascii::answer(&entry))
}

/// The job with this id, if the caller may see it.
async fn one(
    app: &App,
    caller: &Caller,
    workflow: i64,
    text: &str,
) -> Result<Option<JobRow>, HttpProblem> {
    // Any other text is the id of no job.
    let Ok(key) = text.parse::<InstanceKey>() else {
        return Ok(None);
    };
    match app.job(caller, workflow, key).await {
        Ok(_) => app.read(caller, move |reader| reader.job(key)).await,
        Err(problem) if problem.status_code() == StatusCode::NOT_FOUND => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn page(request: &HttpRequest, app: &App, kind: Kind) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(request)?;
    let named = Named::read(request)?;
    let (page, length) = (
        named.number("page", 1..=u64::MAX)?,
        named.number("entriesCount", 1..=limits::JOB_ENTRIES as u64)?,
    );
    let (sorted_by, descending) = order(named.number("heo", 0..=11)?);
    let mut workflows = matching(app, &principal.caller, &named);
    workflows.sort_by(|one, other| sorted_by.compare(one, other));
    if descending {
        workflows.reverse();
    }
    let mut filter = filter(&principal.caller, &workflows, kind, &named)?;
    let order = match sorted_by {
        SortedBy::Date => JobOrder::StatusAt { descending },
        SortedBy::Status => JobOrder::Status,
        _ => JobOrder::Process,
    };
    if descending {
        filter.statuses.reverse();
    }
    let offset = (page - 1).saturating_mul(length);
    let jobs = app
        .read(&principal.caller, move |reader| {
            reader.jobs(&filter, order, offset, length as usize)
        })
        .await?;
    let by_process: HashMap<&str, &Workflow> = workflows
        .iter()
        .map(|one| (one.process.row.id.as_str(), one))
        .collect();
    let entries: Vec<DashboardEntry<'_>> = jobs
        .iter()
        .filter_map(|job| Some(by_process.get(job.process.as_str())?.entry(app, job)))
        .collect();
    Ok(ascii::answer(&entries))
}

async fn counted(request: &HttpRequest, app: &App, kind: Kind) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(request)?;
    let named = Named::read(request)?;
    let filter = filter(
        &principal.caller,
        &matching(app, &principal.caller, &named),
        kind,
        &named,
    )?;
    Ok(ascii::answer(
        &app.read(&principal.caller, move |reader| reader.count_jobs(&filter))
            .await?,
    ))
}

async fn outermost(
    request: &HttpRequest,
    app: &App,
    kind: Kind,
    latest: bool,
) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(request)?;
    let filter = everything(
        &principal.caller,
        processes(&Workflow::all(app, &principal.caller)),
        kind,
    )?;
    let order = JobOrder::StatusAt { descending: latest };
    let jobs = app
        .read(&principal.caller, move |reader| {
            reader.jobs(&filter, order, 0, 1)
        })
        .await?;
    let time = jobs
        .first()
        .map_or_else(|| app.sessions.runtime.clock.now(), |job| job.status_at);
    Ok(ascii::answer(&time.0))
}

/// The order of entries.
#[derive(Clone, Copy)]
enum SortedBy {
    Date,
    Number,
    Name,
    Launch,
    Description,
    Status,
}

/// The order with this number, and whether it is descending.
fn order(number: u64) -> (SortedBy, bool) {
    let sorted_by = match number / 2 {
        0 => SortedBy::Date,
        1 => SortedBy::Number,
        2 => SortedBy::Name,
        3 => SortedBy::Launch,
        4 => SortedBy::Description,
        _ => SortedBy::Status,
    };
    (sorted_by, number % 2 == 1)
}

impl SortedBy {
    fn compare(self, one: &Workflow, other: &Workflow) -> Ordering {
        let by_itself = match self {
            Self::Date | Self::Number | Self::Status => Ordering::Equal,
            Self::Name => one.name().cmp(other.name()),
            Self::Launch => one.launch.number().cmp(&other.launch.number()),
            Self::Description => one.description().cmp(other.description()),
        };
        by_itself
            .then(one.number.cmp(&other.number))
            .then_with(|| one.process.row.id.cmp(&other.process.row.id))
    }
}

/// A process that has or had a number.
struct Workflow {
    number: i64,
    process: Arc<KnownVersion>,
    launch: Launch,
}

impl Workflow {
    fn all(app: &App, caller: &Caller) -> Vec<Self> {
        let runtime = &app.sessions.runtime;
        let numbered = runtime.definitions.numbered(&caller.tenant);
        let with_launch = |(number, process): (i64, Arc<KnownVersion>)| {
            let schedules = runtime
                .schedules
                .list(&process.row.tenant, Some(&process.row.id));
            Self {
                number,
                launch: Launch::of(&schedules),
                process,
            }
        };
        numbered.into_iter().map(with_launch).collect()
    }

    fn name(&self) -> &str {
        &self.process.row.name
    }

    fn description(&self) -> &str {
        let written = self.process.summary.documentation.as_deref();
        written.unwrap_or(self.name())
    }

    fn entry(&self, app: &App, job: &JobRow) -> DashboardEntry<'_> {
        DashboardEntry {
            id: job.instance,
            workflow_id: self.number,
            name: self.name(),
            launch_type: self.launch.number(),
            description: self.description(),
            status: job.status.number(),
            status_date: app.date_time(job.status_at),
        }
    }
}

/// The workflows whose name or description contains the text.
fn matching(app: &App, caller: &Caller, named: &Named) -> Vec<Workflow> {
    let text = named.keyword();
    let mut workflows = Workflow::all(app, caller);
    workflows.retain(|one| {
        [one.name(), one.description()]
            .iter()
            .any(|found| found.to_lowercase().contains(&text))
    });
    workflows
}

fn processes(workflows: &[Workflow]) -> Vec<String> {
    workflows
        .iter()
        .map(|workflow| workflow.process.row.id.clone())
        .collect()
}

/// The filter of jobs of these workflows within the times of the request.
fn filter(
    caller: &Caller,
    workflows: &[Workflow],
    kind: Kind,
    named: &Named,
) -> Result<JobFilter, HttpProblem> {
    let (from, to) = (named.time("from")?, named.time("to")?);
    Ok(JobFilter {
        from,
        to,
        ..everything(caller, processes(workflows), kind)?
    })
}

/// Jobs of these processes that the caller may list.
///
/// # Errors
/// 403 for the token of one instance tree.
pub(super) fn everything(
    caller: &Caller,
    processes: Vec<String>,
    kind: Kind,
) -> Result<JobFilter, HttpProblem> {
    let statuses = JobStatus::ALL.into_iter().filter(|status| match kind {
        Kind::Dashboard => *status != JobStatus::Disabled,
        Kind::History => status.is_end(),
    });
    Ok(JobFilter {
        tenant: caller.tenant.clone(),
        started_by: visible_to(caller)?.started_by,
        processes,
        statuses: statuses.collect(),
        from: Time(i64::MIN),
        to: Time(i64::MAX),
    })
}
