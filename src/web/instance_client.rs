//! Requests of HTTP handlers to instances and to the store. Responses come through the commit gate,
//! as for sessions.

use std::sync::Arc;

use actix_web::{rt, web};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::http::{app::App, problem::HttpProblem};
use crate::{
    engine::{
        RecordBatch, Rejection,
        access::Caller,
        migration::MigrationPlan,
        record::StoredFile,
        rejection::{RejectionKind, Unavailable},
    },
    journal::{Entity, LogPart, StoreError, StoreReader, codec},
    model::{ids::InstanceKey, upload::UploadRules},
    runtime::{
        Runtime, StartRequest,
        drafts::DraftRequest,
        files::Received,
        instance_request::{
            Committed, Envelope, InstanceRequest, InstanceResponse, MigrationRequest, Observed,
            Refusal, ReplyTo,
        },
        read_queue::{Read, ReadRequest},
    },
    session::protocol::code::ErrorCode,
};

/// The outcome of a command.
pub enum CommandOutcome {
    /// It is durable; the flag says whether it had been applied before.
    Done(Arc<Committed>, bool),
    /// Nothing had to be done.
    Unchanged,
}

impl App {
    /// Sends a command to an instance.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn command(
        &self,
        key: InstanceKey,
        caller: &Caller,
        instance_request: InstanceRequest,
    ) -> Result<CommandOutcome, HttpProblem> {
        outcome(self.answer(key, caller, instance_request).await)
    }

    /// The files that may be uploaded for a run.
    ///
    /// # Errors
    /// Why the run would be refused with any file.
    pub async fn may_upload(
        &self,
        key: InstanceKey,
        caller: &Caller,
        instance_request: InstanceRequest,
    ) -> Result<UploadRules, HttpProblem> {
        match self.answer(key, caller, instance_request).await {
            Ok(InstanceResponse::MayUpload(rules)) => Ok(rules),
            other => Err(refused(other)),
        }
    }

    /// The plan of an instance's migration to another version.
    ///
    /// # Errors
    /// 403, 404, 409 for one that has ended, is on hold, or runs that version already.
    pub async fn plan_migration(
        &self,
        key: InstanceKey,
        caller: &Caller,
        migration: MigrationRequest,
    ) -> Result<MigrationPlan, HttpProblem> {
        let instance_request = InstanceRequest::PlanMigration(Box::new(migration));
        match self.answer(key, caller, instance_request).await {
            Ok(InstanceResponse::Migration(plan)) => Ok(*plan),
            other => Err(refused(other)),
        }
    }

    /// Sends a command with a file. Once sent, the command and the fate of its file do not depend
    /// on the HTTP request.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn upload(
        &self,
        key: InstanceKey,
        caller: &Caller,
        instance_request: InstanceRequest,
        file: Received,
    ) -> Result<CommandOutcome, HttpProblem> {
        let upload = file.sent();
        let (reply, answer) = reply();
        self.sessions.runtime.dispatch(
            key,
            Envelope {
                caller: Some(caller.clone()),
                request: instance_request,
                reply,
            },
        );
        let settled = rt::spawn(async move {
            let answer = answer.await;
            let settled_by = answer.as_ref().ok().cloned();
            // A panic was logged; the next start finishes the interrupted work.
            let _ = web::block(move || upload.settle(settled_by.as_ref())).await;
            outcome(answer)
        });
        settled
            .await
            .unwrap_or_else(|_| Err(Refusal::Unknown.into()))
    }

    /// A file of an instance.
    ///
    /// # Errors
    /// 404 if the caller may not see the instance, or it has no such file.
    pub async fn file(
        &self,
        key: InstanceKey,
        caller: &Caller,
        id: Uuid,
    ) -> Result<StoredFile, HttpProblem> {
        let runtime = &self.sessions.runtime;
        match read_instance(runtime, key, caller, ReadRequest::FindFile(id)).await {
            Ok(InstanceResponse::File(file)) => Ok(*file),
            other => Err(refused(other)),
        }
    }

    /// Starts an instance.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn start(&self, request: StartRequest) -> Result<CommandOutcome, HttpProblem> {
        let (reply, answer) = reply();
        self.sessions.runtime.start_instance(request, reply);
        outcome(answer.await)
    }

    /// Saves or drops a draft.
    ///
    /// # Errors
    /// Why it was refused; 404 if its task has ended, or has no such action.
    pub async fn draft(&self, caller: &Caller, request: DraftRequest) -> Result<(), HttpProblem> {
        let (reply, answer) = reply();
        self.sessions.runtime.draft(caller.clone(), request, reply);
        let answer = answer.await;
        if let Ok(InstanceResponse::Refused(Refusal::Rejected(rejection))) = &answer
            && let RejectionKind::Unavailable(
                Unavailable::Ended | Unavailable::NotActive | Unavailable::UnknownAction,
            ) = rejection.kind
        {
            return Err(HttpProblem::new(
                ErrorCode::NotFound,
                rejection.message.clone(),
            ));
        }
        outcome(answer).map(drop)
    }

    /// Reads an instance with the caller's permissions.
    ///
    /// # Errors
    /// 404 if there is none that the caller may see.
    pub async fn observe(
        &self,
        key: InstanceKey,
        caller: &Caller,
        whole: bool,
    ) -> Result<Arc<Observed>, HttpProblem> {
        observe(&self.sessions.runtime, key, caller, whole).await
    }

    async fn answer(
        &self,
        key: InstanceKey,
        caller: &Caller,
        instance_request: InstanceRequest,
    ) -> Result<InstanceResponse, oneshot::error::RecvError> {
        let (reply, answer) = reply();
        self.sessions.runtime.dispatch(
            key,
            Envelope {
                caller: Some(caller.clone()),
                request: instance_request,
                reply,
            },
        );
        answer.await
    }

    /// Reads from the store. Callers take turns.
    ///
    /// # Errors
    /// 500 if it fails, 503 while the server stops.
    pub async fn read<T: Send + 'static>(
        &self,
        caller: &Caller,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, HttpProblem> {
        let journal = &self.sessions.runtime.journal;
        read(journal.list(Some(caller.taker()), question).await)
    }

    /// Reads from the store what is the same for every caller. All who ask for such things have one
    /// turn together.
    ///
    /// # Errors
    /// As [`App::read`].
    pub async fn read_for_all<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, HttpProblem> {
        read(self.sessions.runtime.journal.list(None, question).await)
    }

    /// The rows of an instance with records after `after`, oldest first, and whether there may be
    /// more. Read the instance before, which checks the permissions.
    ///
    /// # Errors
    /// As [`App::read`].
    pub async fn rows(
        &self,
        caller: &Caller,
        key: InstanceKey,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<RecordBatch>, bool), HttpProblem> {
        self.read(caller, move |reader| {
            let part = LogPart::read(reader, Entity::from(key), after, limit)?;
            let rows = part
                .rows
                .iter()
                .map(|stored| codec::decode(&stored.row.body));
            Ok((rows.collect::<Result<_, StoreError>>()?, part.is_cut))
        })
        .await
    }
}

/// What was read from the store. Without an answer the server stops.
fn read<T>(
    answer: Result<Result<T, StoreError>, oneshot::error::RecvError>,
) -> Result<T, HttpProblem> {
    match answer {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Refusal::Busy.into()),
    }
}

/// Reads an instance of a runtime with the caller's permissions.
///
/// # Errors
/// 404 if there is none that the caller may see.
pub async fn observe(
    runtime: &Arc<Runtime>,
    key: InstanceKey,
    caller: &Caller,
    whole: bool,
) -> Result<Arc<Observed>, HttpProblem> {
    match read_instance(runtime, key, caller, ReadRequest::Observe { whole }).await {
        Ok(InstanceResponse::Observed(observed)) => Ok(observed),
        other => Err(refused(other)),
    }
}

async fn read_instance(
    runtime: &Arc<Runtime>,
    key: InstanceKey,
    caller: &Caller,
    question: ReadRequest,
) -> Result<InstanceResponse, oneshot::error::RecvError> {
    let (reply, answer) = reply();
    runtime.read(
        key,
        Read {
            caller: Some(caller.clone()),
            question,
            reply,
        },
    );
    answer.await
}

/// The instance key in a path. Any other text names no instance.
///
/// # Errors
/// 404.
pub fn instance_key(text: &str) -> Result<InstanceKey, HttpProblem> {
    text.parse().map_err(|_| Rejection::not_found().into())
}

fn reply() -> (ReplyTo, oneshot::Receiver<InstanceResponse>) {
    let (sender, answer) = oneshot::channel();
    // The receiver is gone when the request was cut off; the command takes effect nevertheless.
    let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
    (reply, answer)
}

/// The problem of a response that is not of the expected kind.
fn refused(answer: Result<InstanceResponse, oneshot::error::RecvError>) -> HttpProblem {
    match answer {
        Ok(InstanceResponse::Refused(refusal)) => refusal.into(),
        _ => Refusal::Internal.into(),
    }
}

fn outcome(
    answer: Result<InstanceResponse, oneshot::error::RecvError>,
) -> Result<CommandOutcome, HttpProblem> {
    match answer {
        Ok(InstanceResponse::Applied(committed)) => Ok(CommandOutcome::Done(committed, false)),
        Ok(InstanceResponse::Duplicate(committed)) => Ok(CommandOutcome::Done(committed, true)),
        Ok(
            InstanceResponse::Unchanged
            | InstanceResponse::Observed(_)
            | InstanceResponse::MayUpload(_)
            | InstanceResponse::MayWork(_)
            | InstanceResponse::Migration(_)
            | InstanceResponse::Published(_)
            | InstanceResponse::File(_),
        ) => Ok(CommandOutcome::Unchanged),
        Ok(InstanceResponse::Refused(refusal)) => Err(refusal.into()),
        Err(_) => Err(Refusal::Unknown.into()),
    }
}
