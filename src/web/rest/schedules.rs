//! Schedules: list, read, enable, disable, run.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{commands::command_id, json, query};
use crate::{
    journal::ScheduleKey,
    model::{
        ids::{InstanceKey, Time},
        schedule::When,
        timer_cycle::Occurrences,
    },
    runtime::schedules::ScheduleView,
    session::{auth::token::Identity, protocol::code::ErrorCode},
    web::{
        http::{app::App, audit::Act, problem::HttpProblem},
        openapi::shared::IdempotencyKey,
        rest::listing::{bad_cursor, cut, part_length, require_operator},
    },
};

/// The schedules to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScheduleListQuery {
    /// Of this process.
    process: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// The schedule of a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SchedulePath {
    /// The process's id.
    pub process: String,
    /// The id of its start event.
    pub node: String,
}

/// A part of the list of schedules.
#[derive(Serialize, ToSchema)]
pub struct ScheduleList {
    /// By process and start event.
    schedules: Vec<ScheduleEntry>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// A start event that starts its process without a command.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleEntry {
    /// The process it starts.
    process: String,
    /// The start event.
    node: String,
    /// The version it starts.
    version: u32,
    /// `cron`, `interval`, `date`, `duration` or `startup`.
    kind: &'static str,
    /// As written; `null` for `startup`.
    expression: Option<String>,
    /// The time zone of its times.
    time_zone: String,
    /// `once`, `skip` or `all`.
    missed: &'static str,
    /// `allow` or `skip`.
    overlap: &'static str,
    /// Whether it is enabled by operators.
    enabled: bool,
    /// When it starts the next instance; `null` if it does not, also because it or its process is
    /// disabled.
    next_run: Option<String>,
    /// When it last started an instance.
    last_run: Option<String>,
    /// The instance it last started.
    #[schema(value_type = Option<Uuid>)]
    last_instance: Option<InstanceKey>,
    /// The last time that was left out because the instance started before was live.
    last_skipped: Option<String>,
    /// The number of instances it has started.
    runs: u64,
    /// Why its last start failed; `null` once one has succeeded again.
    last_error: Option<ScheduleFailure>,
}

/// Why a start failed.
#[derive(Serialize, ToSchema)]
pub struct ScheduleFailure {
    /// When it failed.
    at: Option<String>,
    /// The reason.
    message: String,
}

/// The instance that a schedule has started on request.
#[derive(Serialize, ToSchema)]
pub struct ScheduleRun {
    /// Its key.
    #[schema(value_type = Uuid)]
    instance: InstanceKey,
}

impl From<ScheduleView> for ScheduleEntry {
    fn from(view: ScheduleView) -> Self {
        let next_run = text(view.next_run());
        let (schedule, row) = (view.schedule(), &view.row);
        let written = schedule.map(|schedule| &schedule.written);
        let kind = schedule.map_or("date", |schedule| match schedule.occurrences {
            Occurrences::Cron(..) => "cron",
            Occurrences::Interval(_) => "interval",
            Occurrences::At(_) => "date",
            Occurrences::After(..) => "duration",
            Occurrences::Startup => "startup",
            Occurrences::Each(_) => "several",
        });
        let texts = written.map(|written| {
            let texts = written.when.iter().filter_map(|when| match when {
                When::Cycle(text) | When::Date(text) | When::Duration(text) => Some(&**text),
                When::Startup => None,
            });
            texts.collect::<Vec<_>>().join(", ")
        });
        let expression = texts.filter(|texts| !texts.is_empty());
        Self {
            process: row.key.process.clone(),
            node: row.key.node.clone(),
            version: row.version,
            kind,
            expression,
            time_zone: written
                .and_then(|written| written.time_zone.clone())
                .unwrap_or_else(|| "UTC".to_owned()),
            missed: written.map_or("once", |written| written.missed.name()),
            overlap: written.map_or("allow", |written| written.overlap.name()),
            enabled: row.enabled,
            next_run,
            last_run: text(row.last_fired),
            last_instance: row.last_instance,
            last_skipped: text(row.last_skipped),
            runs: row.fired,
            last_error: row.last_error.clone().map(|message| ScheduleFailure {
                at: text(row.failed_at),
                message,
            }),
        }
    }
}

fn text(time: Option<Time>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// `GET /v1/schedules?process=&limit=&cursor=`: by process and start event.
///
/// # Errors
/// 400 for unknown filters, 401, 403 without role operator or designer.
#[utoipa::path(get, path = "/v1/schedules", tag = "schedules", operation_id = "listSchedules", summary = "List \
    schedules", params(ScheduleListQuery),
    responses((status = 200, body = ScheduleList), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let reader = reader(&app, &request)?;
    let parameters: ScheduleListQuery = query(request.query_string())?;
    let after = parameters.cursor.as_deref().map(read_cursor).transpose()?;
    let mut found = app
        .sessions
        .runtime
        .schedules
        .list(&reader.tenant, parameters.process.as_deref());
    found.retain(|view| {
        after.is_none_or(|after| (&*view.row.key.process, &*view.row.key.node) > after)
    });
    let next = cut(&mut found, part_length(parameters.limit)?)
        .map(|last| format!("{}/{}", last.row.key.process, last.row.key.node));
    Ok(json(
        StatusCode::OK,
        &ScheduleList {
            schedules: found.into_iter().map(ScheduleEntry::from).collect(),
            next,
        },
    ))
}

/// `GET /v1/schedules/{process}/{node}`: one schedule.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/v1/schedules/{process}/{node}", tag = "schedules", operation_id = "getSchedule", summary = "Read \
    a schedule",
    params(SchedulePath), responses((status = 200, body = ScheduleEntry), (status = 403), (status = 404)))]
pub async fn get(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let reader = reader(&app, &request)?;
    let view = app.sessions.runtime.schedules.get(&key(&reader, path))?;
    Ok(json(StatusCode::OK, &ScheduleEntry::from(view)))
}

/// `POST /v1/schedules/{process}/{node}/enable`: enables it. Times missed meanwhile are made up for
/// by its rule.
///
/// # Errors
/// 401, 403 without role operator, 404, 503.
#[utoipa::path(post, path = "/v1/schedules/{process}/{node}/enable", tag = "schedules", operation_id = "enableSchedule", summary = "Enable \
    a schedule",
    params(SchedulePath), responses((status = 200, body = ScheduleEntry), (status = 403), (status = 404)))]
pub async fn enable(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    switch(&request, path, &app, true).await
}

/// `POST /v1/schedules/{process}/{node}/disable`: it starts nothing until it is enabled.
///
/// # Errors
/// 401, 403 without role operator, 404, 503.
#[utoipa::path(post, path = "/v1/schedules/{process}/{node}/disable", tag = "schedules", operation_id = "disableSchedule", summary = "Disable \
    a schedule",
    params(SchedulePath), responses((status = 200, body = ScheduleEntry), (status = 403), (status = 404)))]
pub async fn disable(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    switch(&request, path, &app, false).await
}

async fn switch(
    request: &HttpRequest,
    path: Path<(String, String)>,
    app: &App,
    enabled: bool,
) -> Result<HttpResponse, HttpProblem> {
    let operator = operator(app, request)?;
    let key = key(&operator, path);
    let act = schedule_act(
        app,
        request,
        &operator,
        if enabled {
            "schedule enabled"
        } else {
            "schedule disabled"
        },
        &key,
    );
    let view = act
        .done(app.sessions.runtime.schedules.switch(&key, enabled))
        .await?;
    Ok(json(StatusCode::OK, &ScheduleEntry::from(view)))
}

/// `POST /v1/schedules/{process}/{node}/run`: starts an instance at once, as the schedule would;
/// its times stay as they are.
///
/// # Errors
/// 400, 401, 403 without role operator, 404, 409 for a disabled process or while an instance that
/// must not overlap is live, 503.
#[utoipa::path(post, path = "/v1/schedules/{process}/{node}/run", tag = "schedules", operation_id = "runSchedule", summary = "Start \
    an instance of a schedule at once",
    params(SchedulePath, IdempotencyKey),
    responses((status = 201, body = ScheduleRun), (status = 403), (status = 404), (status = 409)))]
pub async fn run(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let operator = operator(&app, &request)?;
    let command = command_id(&request)?.uuid().unwrap_or_else(Uuid::now_v7);
    let key = key(&operator, path);
    let act = schedule_act(&app, &request, &operator, "schedule run", &key);
    let instance = act
        .done(app.sessions.runtime.run_schedule(&key, command))
        .await?;
    Ok(json(StatusCode::CREATED, &ScheduleRun { instance }))
}

fn schedule_act(
    app: &App,
    request: &HttpRequest,
    operator: &Identity,
    what: &'static str,
    key: &ScheduleKey,
) -> Act {
    Act::by(app, request, operator, what)
        .on("process", &key.process)
        .on("node", &key.node)
}

fn key(principal: &Identity, path: Path<(String, String)>) -> ScheduleKey {
    let (process, node) = path.into_inner();
    ScheduleKey {
        tenant: principal.tenant.clone(),
        process,
        node,
    }
}

fn reader(app: &App, request: &HttpRequest) -> Result<Identity, HttpProblem> {
    let (_, identity) = app.user(request)?;
    if identity.is_operator() || identity.is_designer() {
        return Ok(identity);
    }
    Err(HttpProblem::new(
        ErrorCode::Forbidden,
        "expected role operator, designer or admin, but the token grants none of them",
    ))
}

fn operator(app: &App, request: &HttpRequest) -> Result<Identity, HttpProblem> {
    let (principal, identity) = app.user(request)?;
    require_operator(&principal.caller)?;
    Ok(identity)
}

/// Ids contain no slash.
fn read_cursor(text: &str) -> Result<(&str, &str), HttpProblem> {
    text.split_once('/').ok_or_else(bad_cursor)
}
