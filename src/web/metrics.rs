//! `GET /metrics`: what the server tells of itself, in Prometheus' text format.
//!
//! Counters are kept while the server works (`meters`); what has a present value is read when it is
//! asked for. Not here: signs of life (`health`).

use std::{collections::HashSet, sync::LazyLock, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    rt,
    web::{self, Data},
};

use super::{app::App, listing::require_operator, problem::Problem, routes};
use crate::{
    journal::DiskUse,
    meters::meters,
    runtime::{ask::Refusal, clock::real_now},
};

/// How often single values of histograms are added up.
const TIDY: Duration = Duration::from_secs(5);

/// The metrics, for operators.
///
/// # Errors
/// 401, 403 without role operator.
#[utoipa::path(get, path = "/metrics", tag = "server", operation_id = "getMetrics", summary = "Read \
    the server's metrics",
    responses((status = 200, description = "Metrics in the text format of Prometheus", body = String, content_type = "text/plain"), (status = 403)))]
pub async fn metrics(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Problem> {
    let (who, _) = app.user(&request)?;
    require_operator(&who.caller)?;
    let mut all = gauges(&app);
    all.extend(stored(&app).await?);
    all.extend(resident_bytes().map(|bytes| {
        (
            "process_resident_memory_bytes",
            "Memory that the process has",
            bytes,
        )
    }));
    let text = meters().text(&all);
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}

/// A name, what it means, and its value.
type Gauge = (&'static str, &'static str, f64);

/// What is stored, in numbers and bytes.
async fn stored(app: &Data<App>) -> Result<[Gauge; 4], Problem> {
    let incidents = app.read(|reader| reader.open_incidents()).await?;
    let of = app.clone();
    let measured = web::block(move || {
        (
            DiskUse::of(&of.config.data),
            of.sessions.runtime.files.bytes(),
        )
    })
    .await;
    let (disk, files) = measured.map_err(|_| Problem::from(Refusal::Busy))?;
    Ok([
        (
            "stepwire_open_incidents",
            "Incidents that wait for somebody",
            incidents as f64,
        ),
        (
            "stepwire_database_bytes",
            "Bytes of the database file",
            disk.database as f64,
        ),
        (
            "stepwire_wal_bytes",
            "Bytes of the write-ahead log beside it",
            disk.wal as f64,
        ),
        (
            "stepwire_files_bytes",
            "Bytes of the users' files, measured every minute",
            files as f64,
        ),
    ])
}

/// Memory that the process has, where the system tells.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

fn gauges(app: &App) -> Vec<Gauge> {
    let runtime = &app.sessions.runtime;
    let work = runtime.workload();
    vec![
        (
            "process_start_time_seconds",
            "When the process began, in Unix time",
            started_at(),
        ),
        (
            "stepwire_connections",
            "Open websockets and streams",
            app.connections.len() as f64,
        ),
        (
            "stepwire_followed_instances",
            "Instances that somebody follows",
            runtime.hub.len() as f64,
        ),
        (
            "stepwire_subscriptions",
            "Subscriptions of instances and lists",
            work.subscriptions as f64,
        ),
        (
            "stepwire_live_instances",
            "Instances in memory",
            runtime.live_instances() as f64,
        ),
        (
            "stepwire_writer_queue",
            "Places taken in the writer's queue",
            runtime.journal.queued() as f64,
        ),
        (
            "stepwire_timers_due",
            "Timers that are due and have not fired",
            work.timers_due as f64,
        ),
        (
            "stepwire_timers_near",
            "Timers of the next minute",
            work.timers_near as f64,
        ),
        (
            "stepwire_outbox",
            "Messages between instances under way",
            runtime.letters_under_way() as f64,
        ),
        (
            "stepwire_script_threads",
            "Threads that run scripts",
            work.script_threads as f64,
        ),
        (
            "stepwire_scripts_waiting",
            "Steps that wait for a script thread",
            work.scripts_waiting as f64,
        ),
        (
            "stepwire_scripts_stopped",
            "Steps whose scripts were not run, as those before had to be killed",
            work.scripts_stopped as f64,
        ),
    ]
}

/// When this was first asked for, which the start of the server does.
fn started_at() -> f64 {
    static STARTED: LazyLock<i64> = LazyLock::new(|| real_now().0);
    *STARTED as f64 / 1000.0
}

/// Keeps the meters small for as long as the server runs.
pub async fn keep_small() {
    started_at();
    loop {
        rt::time::sleep(TIDY).await;
        meters().tidy();
    }
}

/// Counts an answer, whatever it is.
///
/// # Errors
/// Those of the request.
pub async fn count(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let response = next.call(request).await?;
    meters().request(
        method,
        route(response.request()),
        response.status().as_u16(),
    );
    Ok(response)
}

/// The pattern in the route table that a request fits.
pub(super) fn route(request: &HttpRequest) -> &'static str {
    static PATTERNS: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| routes::table().patterns().collect());
    let found = request.match_pattern();
    found
        .and_then(|pattern| PATTERNS.get(pattern.as_str()).copied())
        .unwrap_or("other")
}
