//! The running instances of a tenant, in numbers, for its operators.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use crate::{
    model::ids::Time,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::require_operator,
    },
};

const HOUR_MS: i64 = 3_600_000;

/// The running instances, in numbers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Overview {
    /// Live instances.
    running: u64,
    /// Those of them that have an open incident.
    stuck: u64,
    /// Open incidents.
    incidents: u64,
    /// Instances that were started in the last hour, counted by minutes.
    started_last_hour: u64,
    /// Instances that were started in the last 24 hours.
    started_last_day: u64,
    /// Processes with live instances, by id.
    processes: Vec<ProcessInUse>,
}

/// A process with live instances.
#[derive(Serialize, ToSchema)]
struct ProcessInUse {
    process: String,
    /// The name of its newest version.
    name: String,
    running: u64,
    stuck: u64,
}

/// `GET /v1/overview`: how many instances run, are stuck, and were started recently.
///
/// # Errors
/// 401, 403 without role operator or admin.
#[utoipa::path(get, path = "/v1/overview", tag = "instances", operation_id = "getOverview", summary = "Read \
    how many instances run, stand still, and were started of late",
    responses((status = 200, body = Overview), (status = 403)))]
pub async fn overview(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    require_operator(&principal.caller)?;
    let tenant = principal.caller.tenant.clone();
    let now = app.sessions.runtime.clock.now();
    let of = tenant.clone();
    let (in_use, hour, day) = app
        .read(&principal.caller, move |reader| {
            let started = |hours: i64| reader.started_since(&of, Time(now.0 - hours * HOUR_MS));
            Ok((
                reader.versions_in_use(Some(&of))?,
                started(1)?,
                started(24)?,
            ))
        })
        .await?;
    let incidents = in_use.iter().map(|used| used.incidents).sum();
    let definitions = app.sessions.runtime.definitions.all(&tenant);
    let mut processes: Vec<ProcessInUse> = Vec::new();
    for used in in_use {
        match processes.last_mut() {
            Some(last) if last.process == used.process => {
                last.running += used.instances;
                last.stuck += used.stuck;
            }
            _ => {
                let versions = definitions.iter().rev();
                let mut named = versions.filter(|known| known.row.id == used.process);
                processes.push(ProcessInUse {
                    name: named
                        .next()
                        .map_or_else(String::new, |known| known.row.name.clone()),
                    process: used.process,
                    running: used.instances,
                    stuck: used.stuck,
                });
            }
        }
    }
    let overview = Overview {
        running: processes.iter().map(|one| one.running).sum(),
        stuck: processes.iter().map(|one| one.stuck).sum(),
        incidents,
        started_last_hour: hour,
        started_last_day: day,
        processes,
    };
    Ok(json(StatusCode::OK, &overview))
}
