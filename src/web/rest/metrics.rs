//! `GET /metrics`: metrics of the server, in Prometheus' text format.
//!
//! Counters are updated while the server works (`meters`); present values are read on request. All
//! of them concern the server beyond any tenant, so they are for its operators; an operator of a
//! tenant gets those of the tenant. Not here: health checks (`health`).

use std::{collections::HashSet, fmt::Write, sync::LazyLock, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    rt,
    web::{self, Data},
};

use super::super::{
    http::{app::App, problem::HttpProblem, route_table::reached},
    routes,
};
use crate::{
    engine::access::Caller,
    journal::DiskUse,
    meters::meters,
    runtime::{clock::real_now, disk_watch::DiskSpace, instance_request::Refusal},
    session::protocol::code::ErrorCode,
};

/// How often the samples of histograms are aggregated.
const TIDY: Duration = Duration::from_secs(5);

/// The metrics: of the server for its operators, of a tenant for the tenant's.
///
/// # Errors
/// 401, 403 without role server-operator or operator.
#[utoipa::path(get, path = "/metrics", tag = "server", operation_id = "getMetrics", summary = "Read \
    the server's metrics",
    responses((status = 200, description = "Metrics in the text format of Prometheus", body = String, content_type = "text/plain"), (status = 403)))]
pub async fn metrics(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, identity) = app.user(&request)?;
    if identity.is_server_operator() {
        return Ok(answer(of_server(&app).await?));
    }
    if identity.is_operator() {
        return Ok(answer(of_tenant(&app, &principal.caller).await?));
    }
    let sentence = "expected role server-operator, or operator for the metrics of a tenant, but \
        the token grants neither; ask an administrator for one";
    Err(HttpProblem::new(ErrorCode::Forbidden, sentence))
}

fn answer(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}

/// The metrics of one tenant.
async fn of_tenant(app: &Data<App>, caller: &Caller) -> Result<String, HttpProblem> {
    let tenant = &caller.tenant;
    let of = tenant.to_owned();
    let in_use = app
        .read(caller, move |reader| reader.versions_in_use(Some(&of)))
        .await?;
    let incidents: u64 = in_use.iter().map(|used| used.incidents).sum();
    let gauges: [Gauge; 2] = [
        (OPEN_INCIDENTS.0, OPEN_INCIDENTS.1, incidents as f64),
        (
            CONNECTIONS.0,
            CONNECTIONS.1,
            app.connections.of_tenant(tenant) as f64,
        ),
    ];
    let mut text = String::new();
    for (name, explanation, value) in gauges {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "# HELP {name} {explanation}\n# TYPE {name} gauge\n{name} {value}\n"
        );
    }
    Ok(text)
}

async fn of_server(app: &Data<App>) -> Result<String, HttpProblem> {
    let mut all = gauges(app);
    all.extend(stored(app).await?);
    all.extend(resident_bytes().map(|bytes| {
        (
            "process_resident_memory_bytes",
            "Memory that the process has",
            bytes,
        )
    }));
    Ok(meters().text(&all))
}

/// Name, description and value.
type Gauge = (&'static str, &'static str, f64);

/// Name and description of metrics that exist for the server and for a tenant.
const OPEN_INCIDENTS: (&str, &str) = (
    "stepwire_open_incidents",
    "Incidents that wait for a person",
);
/// As above.
const CONNECTIONS: (&str, &str) = ("stepwire_connections", "Open websockets and streams");

/// The amounts of stored things, in numbers and bytes.
async fn stored(app: &Data<App>) -> Result<Vec<Gauge>, HttpProblem> {
    let read = app.read_for_all(|reader| {
        let in_use = reader.versions_in_use(None)?.into_iter();
        let incidents: u64 = in_use.map(|used| used.incidents).sum();
        Ok((incidents, reader.damaged(), reader.history_size()?))
    });
    let (incidents, damaged, history) = read.await?;
    let damaged = damaged.count() + app.sessions.runtime.damaged.count();
    let of = app.clone();
    let measured = web::block(move || {
        (
            DiskUse::of(&of.config.data),
            of.sessions.runtime.files.bytes(),
            DiskSpace::of(&of.config.data).ok(),
        )
    })
    .await;
    let (disk, files, space) = measured.map_err(|_| HttpProblem::from(Refusal::Busy))?;
    let mut gauges = vec![
        (OPEN_INCIDENTS.0, OPEN_INCIDENTS.1, incidents as f64),
        (
            "stepwire_damaged",
            "Stored things that were met and cannot be read",
            damaged as f64,
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
            "stepwire_database_free_bytes",
            "Bytes of the database file that are free to be used again",
            history.free as f64,
        ),
        (
            "stepwire_packed_rows",
            "Rows of instances that have ended which are packed",
            history.rows as f64,
        ),
        (
            "stepwire_packed_bytes",
            "Bytes they have packed",
            history.bytes as f64,
        ),
        (
            "stepwire_files_bytes",
            "Bytes of the users' files, measured every minute",
            files as f64,
        ),
    ];
    gauges.extend(space.map(|space| {
        (
            "stepwire_disk_free_bytes",
            "Bytes free on the disk of the data directory",
            space.free as f64,
        )
    }));
    Ok(gauges)
}

/// The memory of the process, if the system reports it.
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
        (CONNECTIONS.0, CONNECTIONS.1, app.connections.len() as f64),
        (
            "stepwire_tcp_connections",
            "Open TCP connections, idle ones included",
            app.transport.len() as f64,
        ),
        (
            "stepwire_body_memory_bytes",
            "Memory taken by bodies of requests",
            app.sessions.memory.taken() as f64,
        ),
        (
            "stepwire_live_memory_bytes",
            "Memory taken by live instances, roughly counted",
            runtime.live_memory() as f64,
        ),
        (
            "stepwire_followed_instances",
            "Instances with at least one follower",
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
            "stepwire_disk_room",
            "Room on the disk: 0 enough, 1 low, 2 critical, 3 full",
            f64::from(runtime.journal.room().now() as u8),
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
            runtime.messages_in_progress() as f64,
        ),
        (
            "stepwire_long_steps_waiting",
            "Slow steps that wait for one of the threads of low priority",
            work.long_steps_waiting as f64,
        ),
        (
            "stepwire_long_scripts_waiting",
            "Steps with slow scripts that wait for one of their threads of low priority",
            work.long_scripts_waiting as f64,
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

/// When this was first called, which happens at the server's start.
fn started_at() -> f64 {
    static STARTED: LazyLock<i64> = LazyLock::new(|| real_now().0);
    *STARTED as f64 / 1000.0
}

/// Aggregates the samples of the meters as long as the server runs.
pub async fn keep_small() {
    started_at();
    loop {
        rt::time::sleep(TIDY).await;
        meters().tidy();
    }
}

/// Counts a response.
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

/// The pattern in the route table that matches a request; `other` if there is none.
pub(in crate::web) fn route(request: &HttpRequest) -> &'static str {
    static PATTERNS: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| routes::table().patterns().collect());
    let refused_before = || PATTERNS.get(request.match_pattern()?.as_str()).copied();
    reached(request).or_else(refused_before).unwrap_or("other")
}
