//! The log of a job's entry, made from the rows of its instance: a text with one line per event.
//!
//! It contains no data of the instance. Not here: the history of visits (`rest::history`).

use actix_web::{HttpRequest, HttpResponse, web::Data};
use utoipa::IntoParams;

use super::{ascii, refused::Refused, workflow::Named};
use crate::{
    engine::{Record, RecordBatch, permissions::UNEXPLAINED},
    limits,
    model::executable::ExecutableProcess,
    web::{http::app::App, instance_client::instance_key},
};

/// The job whose log is read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct OfLog {
    /// The entry's id, which is the job's.
    id: uuid::Uuid,
}

/// `GET /api/v1/entry-logs?id=…`: the log of a job.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/api/v1/entry-logs", tag = "jobs", operation_id = "getJobLogs", summary = "Read \
    the log of a job",
    params(OfLog), responses((status = 404),
        (status = 200, body = String, content_type = "application/json", description = "One \
            text, its lines joined by CRLF")))]
pub async fn logs(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    log_of(&request, &app).await
}

/// `GET /api/v1/history-entry-logs?id=…`: the same, by the id of an entry of the history.
///
/// # Errors
/// As [`logs`].
#[utoipa::path(get, path = "/api/v1/history-entry-logs", tag = "jobs", operation_id = "getHistoryLogs",
    summary = "Read the log of an ended job", params(OfLog), responses((status = 404),
        (status = 200, body = String, content_type = "application/json", description = "One \
            text, its lines joined by CRLF")))]
pub async fn history_logs(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    log_of(&request, &app).await
}

async fn log_of(request: &HttpRequest, app: &App) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(request)?;
    let key = instance_key(Named::read(request)?.required("id")?)?;
    let observed = app.observe(key, &principal.caller, false).await?;
    let (rows, is_cut) = app
        .rows(&principal.caller, key, 0, limits::HISTORY_ROWS)
        .await?;
    let process = &observed.process.executable;
    let explained = principal.caller.reads_source();
    let all = rows.iter().flat_map(|row| {
        row.records
            .iter()
            .filter_map(move |record| Some((row, line(process, row, record, explained)?)))
    });
    let mut lines: Vec<String> = all
        .take(limits::JOB_LOG_LINES + 1)
        .map(|(row, (level, text))| format!("{} {level} {text}", app.date_time(row.time)))
        .collect();
    if lines.len() > limits::JOB_LOG_LINES || is_cut {
        lines.truncate(limits::JOB_LOG_LINES);
        lines.push(format!("… more: GET /v1/instances/{key}/history"));
    }
    Ok(ascii::answer(&lines.join("\r\n")))
}

/// The text of a record, and its severity; problems of the definition only if `explained`.
fn line(
    process: &ExecutableProcess,
    row: &RecordBatch,
    record: &Record,
    explained: bool,
) -> Option<(&'static str, String)> {
    let name = |node: &str| {
        process
            .node(node)
            .map(|node| node.name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or(node)
            .to_owned()
    };
    let by = || {
        row.by
            .as_ref()
            .map(|user| format!(" by {user}"))
            .unwrap_or_default()
    };
    let text = match record {
        Record::Created(created) => {
            format!(
                "Started by {}: {} version {}",
                created.started_by, process.name, created.process.version
            )
        }
        Record::ElementActivated { node, .. } => format!("Entered '{}'", name(node)),
        Record::Returned { node, action, .. } => {
            format!("Went back to '{}' by '{action}'", name(node))
        }
        Record::ElementCompleted { node, .. } => format!("Left '{}'", name(node)),
        Record::ElementTerminated { node, .. } => format!("Terminated '{}'", name(node)),
        Record::ActionCompleted { action, .. } => format!("Ran '{action}'{}", by()),
        Record::Decided { approved: true, .. } => format!("Approved{}", by()),
        Record::Decided {
            approved: false, ..
        } => format!("Rejected{}", by()),
        Record::Assigned {
            user: Some(user), ..
        } => format!("Assigned to {user}{}", by()),
        Record::Assigned { user: None, .. } => format!("Released{}", by()),
        Record::ChildStarted(child) => format!("Started the job {}", child.child),
        Record::ChildEnded { child, status, .. } => {
            format!("The job {child} ended: {}", status.name())
        }
        Record::IncidentRaised { incident, .. } => {
            let message = if explained {
                &incident.message
            } else {
                UNEXPLAINED
            };
            return Some(("ERROR", format!("{}: {message}", incident.code)));
        }
        Record::IncidentsResolved { skipped: true, .. } => {
            return Some(("WARN", format!("Skipped what had failed{}", by())));
        }
        Record::IncidentsResolved { skipped: false, .. } => {
            format!("Retried what had failed{}", by())
        }
        Record::TokenMoved { node, .. } => format!("Moved a token to {node}{}", by()),
        Record::Migrated(migrated) => {
            format!("Migrated to version {}{}", migrated.to.version, by())
        }
        Record::Held => format!("Suspended{}", by()),
        Record::Unheld => format!("Resumed{}", by()),
        Record::Ended { status } => format!("Ended: {}", status.name()),
        Record::DescendantsEnded => format!("Terminated what was left running{}", by()),
        Record::DataMerged { .. }
        | Record::DataPatched { .. }
        | Record::SubscriptionsRenewed { .. }
        | Record::VariablesDeclared { .. }
        | Record::DataReplaced { .. }
        | Record::FileStored(_)
        | Record::FlowArrived { .. }
        | Record::SubscriptionsOpened { .. }
        | Record::SubscriptionTriggered { .. }
        | Record::Multiple(_)
        | Record::DeliveryHeld(_)
        | Record::CorrelationNotified { .. }
        | Record::ConditionReset { .. }
        | Record::ScopeInterrupted { .. }
        | Record::WaitingFlowsCleared { .. }
        | Record::GatewayStateChanged { .. }
        | Record::ErrorThrown { .. }
        | Record::EscalationThrown { .. }
        | Record::CompensationThrown { .. }
        | Record::CompensationStarted { .. }
        | Record::CompensationCompleted { .. }
        | Record::TransactionCancelled { .. }
        | Record::ActionStarted { .. }
        | Record::Pushed(_)
        | Record::OfferClosed { .. }
        | Record::ViewReplaced { .. }
        | Record::Loop(_)
        | Record::AdHoc(_)
        | Record::OutputsWritten { .. }
        | Record::MessageReceived { .. }
        | Record::ParentFinished
        | Record::MessageSent { .. }
        | Record::HttpCall(_)
        | Record::TaskScheduled { .. }
        | Record::Reminded { .. }
        | Record::ActionSkipped { .. }
        | Record::CallSkipped { .. } => return None,
    };
    Some(("INFO", text))
}
