//! Starts at conditional start events: an instance begins at each start event of a published process
//! whose condition is true with the data of a request.
//!
//! BPMN leaves open which data such a condition reads, because there is no instance yet. Here, as in
//! Camunda, they are those of a request that asks for the evaluation. The key of each instance
//! follows from the command, so a repeat finds the instances that it has started.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;

use super::{StartRequest, Stranger};
use crate::{
    engine::{
        Rejection, access::Caller, command::StartInstance, record::CommandTag,
        rejection::RejectionKind,
    },
    model::{event_definition::EventRef, ids::InstanceKey, variables::Variables},
    runtime::{
        Runtime,
        correlations::publish::Published,
        definitions::DeployedProcess,
        instance_request::{
            Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo, ResolvedStart,
        },
        keys,
        long_steps::StepKind,
        step_threads::{Panicked, StepOf},
    },
};

/// A request to evaluate conditional start events.
pub struct StartConditions {
    /// The id of a process; `None` for all published ones.
    pub process: Option<String>,
    /// The data that the conditions read, and start data.
    pub data: Value,
    /// The client's own name for the instances.
    pub business_key: Option<String>,
    /// The user.
    pub caller: Caller,
    /// Identity of the command.
    pub tag: CommandTag,
}

/// A conditional start event, and whether its condition is true.
type EvaluatedStart = (Arc<DeployedProcess>, EventRef, Result<bool, String>);

impl Runtime {
    /// Starts an instance at each conditional start event whose condition is true.
    ///
    /// # Errors
    /// An unknown process or one without such a start event, and refusals that a repeat may avoid.
    /// The refusal of a single instance is part of the answer.
    pub async fn start_by_conditions(
        self: &Arc<Self>,
        request: StartConditions,
    ) -> Result<Published, Refusal> {
        let request = Arc::new(request);
        let mut evaluated = Vec::new();
        for process in self.started_by_conditions(&request)? {
            evaluated.extend(self.evaluated(process, &request).await?);
        }
        let mut published = Published::default();
        let (mut all, mut repeats) = (0, 0);
        for (process, event, holds) in evaluated {
            let key = keys::of_condition(
                &request.caller.tenant,
                (&request.tag.subject, request.tag.id),
                &process.row.id,
                &event.to_string(),
            );
            match holds {
                Ok(false) => continue,
                Ok(true) => {}
                Err(sentence) => {
                    let place = &process.row.id;
                    let why = format!("the condition of '{event}' of '{place}': {sentence}");
                    published.refused.push((key, why));
                    continue;
                }
            }
            match self.start_at(&request, &process, event, key).await {
                InstanceResponse::Refused(Refusal::Rejected(rejection)) => {
                    published.refused.push((key, rejection.message));
                }
                InstanceResponse::Refused(refusal) => return Err(refusal),
                response => {
                    all += 1;
                    repeats += usize::from(matches!(response, InstanceResponse::Duplicate(_)));
                    published.outcome.started(key);
                }
            }
        }
        published.is_repeat = all > 0 && repeats == all;
        Ok(published)
    }

    /// The processes whose conditions are to be evaluated.
    fn started_by_conditions(
        &self,
        request: &StartConditions,
    ) -> Result<Vec<Arc<DeployedProcess>>, Rejection> {
        let tenant = &request.caller.tenant;
        let has_one =
            |process: &DeployedProcess| process.executable.conditional_starts().next().is_some();
        let Some(process) = &request.process else {
            let mut processes = self.definitions.started_by_events(tenant);
            processes.retain(|process| has_one(process));
            return Ok(processes);
        };
        let deployed = self
            .definitions
            .published(tenant, process)
            .ok_or_else(|| self.not_startable(tenant, process))?;
        if !has_one(&deployed) {
            let sentence = format!(
                "expected a process with a conditional start event, but '{process}' has none: start \
                it with POST /v1/instances"
            );
            return Err(Rejection::new(RejectionKind::BadRequest, sentence));
        }
        Ok(vec![deployed])
    }

    /// Evaluates the conditions of a process, with the turns of its steps: a condition may be a
    /// script, and there may be many.
    async fn evaluated(
        &self,
        process: Arc<DeployedProcess>,
        request: &Arc<StartConditions>,
    ) -> Result<Vec<EvaluatedStart>, Refusal> {
        let threads = if process.evaluator.may_take_long(&request.data, 0) {
            self.scripts.clone()
        } else {
            self.long_steps.threads(StepKind::Plain)
        };
        let of = StepOf {
            owner: process.row.owner(),
            kind: request.caller.kind(),
            taker: Some(request.caller.taker()),
        };
        if threads.is_full(&of) {
            return Err(Refusal::Busy);
        }
        let request = request.clone();
        let evaluated = threads.run(of, move || evaluate(&process, &request.data));
        evaluated.await.map_err(|Panicked| Refusal::Internal)
    }

    async fn start_at(
        self: &Arc<Self>,
        request: &StartConditions,
        process: &Arc<DeployedProcess>,
        event: EventRef,
        key: InstanceKey,
    ) -> InstanceResponse {
        let start = StartRequest {
            process: Some(process.row.id.clone()),
            data: Value::Null,
            business_key: request.business_key.clone(),
            start_condition: None,
            inherit: None,
            test: false,
            caller: request.caller.clone(),
            anonymous: false,
            stranger: Stranger::default(),
            command: request.tag.id,
            hash: request.tag.hash,
        };
        let mut head = self.head(&start, key, None, request.data.clone());
        head.process = process.reference();
        let command = StartInstance {
            trace: None,
            head,
            start_condition: None,
            start_event: Some(event),
        };
        let (sender, answered) = oneshot::channel();
        let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
        let envelope = Envelope {
            caller: Some(request.caller.clone()),
            request: InstanceRequest::Start(Box::new(ResolvedStart {
                command,
                process: process.clone(),
                tag: Some(request.tag.clone()),
                place: None,
            })),
            reply: self.until_answered(reply),
        };
        self.dispatch(key, envelope);
        let lost = InstanceResponse::Refused(Refusal::Internal);
        answered.await.unwrap_or(lost)
    }
}

/// Evaluates the conditions of a process.
fn evaluate(process: &Arc<DeployedProcess>, data: &Value) -> Vec<EvaluatedStart> {
    let variables = Variables::from(data);
    let events = process.executable.conditional_starts();
    events
        .map(|(_, event)| {
            let condition = event.condition_id();
            let holds = process.evaluator.condition(&condition, &variables);
            let holds = holds.map_err(|error| error.to_string());
            (process.clone(), event, holds)
        })
        .collect()
}
