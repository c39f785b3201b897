//! The number of jobs with each status: read once, or pushed whenever it changes.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, rt,
    web::{Bytes, Data},
};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::{
    ascii,
    dashboard::{Kind, everything},
    job_subscriber::JobSubscriber,
    refused::Refused,
};
use crate::{
    engine::{access::Caller, job_status::JobStatus},
    journal::{DefinitionState, JobFilter, ReadModelChange, StoreError},
    limits,
    model::ids::InstanceKey,
    runtime::{
        channel::Follower,
        lists::{ListFollower, Origin},
    },
    session::inbox::Inbox,
    web::{
        http::{app::App, problem::HttpProblem},
        sse::sse_response,
    },
};

/// Changes within this time are pushed together.
const TOGETHER: Duration = Duration::from_millis(200);

/// The counts. A job is never disabled: this counts disabled workflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct JobCounts {
    pending_count: u64,
    running_count: u64,
    done_count: u64,
    failed_count: u64,
    warning_count: u64,
    disabled_count: u64,
    rejected_count: u64,
    stopped_count: u64,
}

impl JobCounts {
    fn add(&mut self, status: JobStatus, count: u64) {
        *match status {
            JobStatus::Pending => &mut self.pending_count,
            JobStatus::Running => &mut self.running_count,
            JobStatus::Done => &mut self.done_count,
            JobStatus::Failed => &mut self.failed_count,
            JobStatus::Warning => &mut self.warning_count,
            JobStatus::Disabled => &mut self.disabled_count,
            JobStatus::Rejected => &mut self.rejected_count,
            JobStatus::Stopped => &mut self.stopped_count,
        } += count;
    }
}

/// `GET /api/v1/status-count`: the counts of the jobs that the caller may list.
///
/// # Errors
/// 401, 403 for the token of one instance tree.
#[utoipa::path(get, path = "/api/v1/status-count", tag = "jobs", operation_id = "countJobs", summary = "Count \
    jobs by status",
    responses((status = 200, body = JobCounts), (status = 403)))]
pub async fn status_count(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    Ok(ascii::answer(&count(&app, &principal.caller).await?))
}

/// `GET /api/v1/sse/status-count`: events `statusCount`, the first at once.
///
/// # Errors
/// As [`status_count`], 503 for too many streams.
#[utoipa::path(get, path = "/api/v1/sse/status-count", tag = "jobs", operation_id = "streamJobCounts", summary = "Follow \
    the counts of jobs as server-sent events",
    responses((status = 200, description = "Events `statusCount`, the first at once", body = String, content_type = "text/event-stream"), (status = 403)))]
pub async fn stream(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let counting = CountsStream::join(app.clone(), JobSubscriber::open(&app, &request, principal)?);
    let first = count(&app, &counting.listener.principal.caller).await?;
    Ok(sse_response::answer(
        &request,
        counting.events(first),
        limits::JOB_COUNTS_KEEP_ALIVE,
    ))
}

async fn count(app: &App, caller: &Caller) -> Result<JobCounts, HttpProblem> {
    let numbered = app.sessions.runtime.definitions.numbered(&caller.tenant);
    let disabled = numbered
        .iter()
        .filter(|(_, process)| process.row.state == DefinitionState::Disabled)
        .count();
    let filter = everything(
        caller,
        numbered
            .iter()
            .map(|(_, process)| process.row.id.clone())
            .collect(),
        Kind::Dashboard,
    )?;
    let counted = app.read(caller, move |reader| {
        let of = |status: &JobStatus| {
            let one = JobFilter {
                statuses: vec![*status],
                ..filter.clone()
            };
            Ok((*status, reader.count_jobs(&one)?))
        };
        filter
            .statuses
            .iter()
            .map(of)
            .collect::<Result<Vec<_>, StoreError>>()
    });
    let mut counts = JobCounts::default();
    counts.add(JobStatus::Disabled, disabled as u64);
    counted
        .await?
        .into_iter()
        .for_each(|(status, count)| counts.add(status, count));
    Ok(counts)
}

/// A client that is sent every change of the counts.
struct CountsStream {
    app: Data<App>,
    listener: JobSubscriber,
    follower: Arc<dyn ListFollower>,
    definitions: watch::Receiver<()>,
}

/// Wakes a subscriber when any job changes its status.
struct AnyJob(Arc<Inbox>);

impl ListFollower for AnyJob {
    fn changed(&self, _: Origin<'_>, changes: &[ReadModelChange]) {
        if changes
            .iter()
            .any(|change| matches!(change, ReadModelChange::Job(_)))
        {
            self.0.wake(InstanceKey::default());
        }
    }
}

impl CountsStream {
    fn join(app: Data<App>, listener: JobSubscriber) -> Self {
        let follower: Arc<dyn ListFollower> = Arc::new(AnyJob(listener.inbox.clone()));
        app.sessions.runtime.lists.join(follower.clone());
        let definitions = app.sessions.runtime.definitions.changes();
        Self {
            app,
            listener,
            follower,
            definitions,
        }
    }

    fn events(self, first: JobCounts) -> impl Stream<Item = Bytes> {
        stream::unfold(
            (self, None, Some(first)),
            |(mut counting, last, first)| async move {
                let counts = match first {
                    Some(first) => first,
                    None => counting.change(last).await?,
                };
                let event = format!("event: statusCount\ndata: {}\n\n", ascii::json(&counts));
                Some((event.into(), (counting, Some(counts), None)))
            },
        )
    }

    /// Waits until the counts differ; `None` if the client should reconnect.
    async fn change(&mut self, last: Option<JobCounts>) -> Option<JobCounts> {
        loop {
            let goes_on = tokio::select! {
                woken = self.listener.woken() => woken,
                // A workflow was disabled, enabled or deployed.
                changed = self.definitions.changed() => changed.is_ok(),
            };
            if !goes_on {
                return None;
            }
            rt::time::sleep(TOGETHER).await;
            let counts = count(&self.app, &self.listener.principal.caller)
                .await
                .ok()?;
            if Some(counts) != last {
                return Some(counts);
            }
        }
    }
}

impl Drop for CountsStream {
    fn drop(&mut self) {
        self.app.sessions.runtime.lists.leave(&self.follower);
    }
}
