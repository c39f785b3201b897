//! The stream of a job: silent until the job ends, then one event, then the end of the response.
//!
//! It follows the instance's channel as a websocket does: it joins first and reads then, so that it
//! misses no end. A server that stops ends the response without an event, and the next request is
//! answered from the journal. Comments and headers: `web::sse::sse_response`.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Path},
};
use futures_util::{Stream, StreamExt, future, stream};
use serde::Serialize;

use super::{ascii, job_subscriber::JobSubscriber, refused::Refused, workflow::description};
use crate::{
    engine::{job_status::JobStatus, next_step::NextStep},
    limits,
    model::ids::InstanceKey,
    runtime::{
        channel::{Follower, InstanceChannel, RowsAfter},
        definitions::DeployedProcess,
    },
    session::protocol::code::ErrorCode,
    web::{
        http::{app::App, problem::HttpProblem},
        instance_client::instance_key,
        sse::sse_response,
    },
};

/// Rows of the channel that are read together: all that it keeps.
const ROWS: usize = 64;

/// `GET /api/v1/sse/{workflow}/{job}`: an event when the job has ended, at once if it has already.
///
/// # Errors
/// 401, 404 for an unknown workflow or job and for one that the caller may not see, 503 for too
/// many streams.
#[utoipa::path(get, path = "/api/v1/sse/{workflow}/{job}", tag = "jobs", operation_id = "streamJob", summary = "Wait \
    for the end of a job as a server-sent event",
    params(
        ("workflow" = i64, Path, description = "The workflow's number"),
        ("job" = InstanceKey, Path, description = "The job's id"),
    ),
    responses(
        (status = 200, description = "One event once the job has ended, then the end of the \
            answer", body = String,
            content_type = "text/event-stream", example = "data: \
                {\"workflowId\":41,\"status\":\"Done\"}\n\n"),
        (status = 404),
    ))]
pub async fn stream(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let (workflow, job) = path.into_inner();
    let unknown = || {
        HttpProblem::new(
            ErrorCode::NotFound,
            "expected the number of a workflow, but this is not one",
        )
    };
    let (workflow, job) = (
        workflow.parse().map_err(|_| unknown())?,
        instance_key(&job)?,
    );
    let listener = JobSubscriber::open(&app, &request, principal)?;
    let mut waiting = EndSubscriber::join(app, listener, workflow, job);
    let ended = waiting.read_end().await?;
    Ok(sse_response::answer(
        &request,
        waiting.events(ended),
        limits::KEEP_ALIVE,
    ))
}

/// The content of the event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended<'a> {
    workflow_id: i64,
    job_id: InstanceKey,
    status: &'static str,
    name: &'a str,
    description: &'a str,
}

/// A client that waits for the end of a job.
struct EndSubscriber {
    app: Data<App>,
    listener: JobSubscriber,
    workflow: i64,
    job: InstanceKey,
    channel: Arc<InstanceChannel>,
    follower: Arc<dyn Follower>,
    /// The number up to which the job has not ended.
    cursor: u64,
}

impl EndSubscriber {
    fn join(app: Data<App>, listener: JobSubscriber, workflow: i64, job: InstanceKey) -> Self {
        let follower: Arc<dyn Follower> = listener.inbox.clone();
        let channel = app.sessions.runtime.hub.follow(job);
        channel.join(follower.clone());
        Self {
            app,
            listener,
            workflow,
            job,
            channel,
            follower,
            cursor: 0,
        }
    }

    /// The event, if the job has ended.
    async fn read_end(&mut self) -> Result<Option<Bytes>, HttpProblem> {
        let observed = self
            .app
            .job(&self.listener.principal.caller, self.workflow, self.job)
            .await?;
        self.cursor = observed.seq;
        Ok(self.event(&observed.process, &observed.next))
    }

    fn event(&self, process: &DeployedProcess, next: &NextStep) -> Option<Bytes> {
        if next.status.is_live() {
            return None;
        }
        let ended = Ended {
            workflow_id: self.workflow,
            job_id: self.job,
            status: JobStatus::of(next.status, next.outcome).name(),
            name: &process.executable.name,
            description: description(process),
        };
        // JSON contains no line breaks here.
        Some(format!("data: {}\n\n", ascii::json(&ended)).into())
    }

    /// The event as a stream of at most one.
    fn events(self, ended: Option<Bytes>) -> impl Stream<Item = Bytes> {
        let event = async move {
            match ended {
                Some(event) => Some(event),
                None => self.end().await,
            }
        };
        stream::once(event).filter_map(future::ready)
    }

    /// Waits for the end of the job; `None` if the client should reconnect.
    async fn end(mut self) -> Option<Bytes> {
        while self.listener.woken().await {
            if let Some(event) = self.news().await {
                return Some(event);
            }
        }
        None
    }

    /// The event, if the new rows contain the end.
    async fn news(&mut self) -> Option<Bytes> {
        match self.channel.after(self.cursor, ROWS) {
            RowsAfter::Rows(rows) => {
                let last = rows.last()?;
                self.cursor = last.row.last_seq();
                self.event(&last.process, &last.next)
            }
            RowsAfter::Nothing => None,
            // The instance existed and belonged to this client; if it can no longer be seen, there
            // is no end to report.
            RowsAfter::Behind => self.read_end().await.ok().flatten(),
        }
    }
}

impl Drop for EndSubscriber {
    fn drop(&mut self) {
        self.channel.leave(&self.follower);
    }
}
