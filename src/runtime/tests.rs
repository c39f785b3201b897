//! The runtime under stress: steps that panic or hang, instances that leave memory all the time, a
//! crash between two commits.
//!
//! The meaning of commands is tested in `engine`; what clients see of all this in `tests/wire`.

pub(super) mod brake;
mod broken_steps;
mod changes;
mod cuts;
pub(super) mod faults;
mod following;
mod former_versions;
mod http_calls;
mod known_keys;
mod outbox;
mod passivation;
mod publications;
mod reading;
mod search_attributes;
mod slow_scripts;
mod snapshots;
mod times;
mod trees;
mod written_bytes;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Runtime, StartRequest,
    clock::Clock,
    definitions::Deploy,
    files::Files,
    http_calls::HttpCallSettings,
    instance_request::{Committed, Envelope, InstanceRequest, InstanceResponse, Observed, ReplyTo},
};
use crate::{
    engine::{Command, access::Caller, command::RunAction},
    journal::{Journal, Store},
    limits,
    model::{
        ids::{InstanceKey, Time},
        source::SourceFormat,
    },
};

const EXAMPLES: [&str; 2] = [
    include_str!("../../examples/account-onboarding.bpmn"),
    include_str!("../../examples/credit-check.bpmn"),
];

/// A runtime on a store, with the examples deployed. Its arbiters end with the test's system.
async fn runtime_over(store: Box<dyn Store>) -> (Arc<Runtime>, Journal) {
    runtime_at(Clock::real(), store).await
}

pub(super) async fn runtime_at(clock: Clock, store: Box<dyn Store>) -> (Arc<Runtime>, Journal) {
    let journal = Journal::start(store, limits::WRITER_QUEUE.get(), Box::new(|_| {})).unwrap();
    let arbiters = (0..2).map(|_| actix_rt::Arbiter::new().handle()).collect();
    let runtime = Runtime::start(
        journal.clone(),
        Files::temporary(),
        HttpCallSettings::default(),
        clock,
        arbiters,
        None,
    )
    .await
    .unwrap();
    for source in EXAMPLES {
        let (source, format) = (source.as_bytes(), SourceFormat::BpmnXml);
        let deploy = published(source, format);
        runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
    }
    (runtime, journal)
}

/// A deploy that publishes.
fn published(source: &[u8], format: SourceFormat) -> Deploy<'_> {
    Deploy {
        tenant: "default",
        source,
        format,
        publish: true,
        by: "test",
        now: Time(0),
    }
}

fn alice() -> Caller {
    Caller {
        subject: "alice".into(),
        tenant: "default".into(),
        roles: [].into(),
        operator: false,
        trees: None,
        address: None,
        trace: None,
    }
}

pub(super) async fn answer(send: impl FnOnce(ReplyTo)) -> InstanceResponse {
    let (sender, receiver) = oneshot::channel();
    send(ReplyTo::to(move |answer| drop(sender.send(answer))));
    receiver.await.unwrap()
}

pub(super) fn applied(answer: InstanceResponse) -> Arc<Committed> {
    match answer {
        InstanceResponse::Applied(committed) => committed,
        other => panic!("{other:?}"),
    }
}

async fn start(runtime: &Arc<Runtime>) -> InstanceKey {
    applied(answer(|reply| runtime.start_instance(start_of("onboarding", json!({})), reply)).await)
        .instance
}

pub(super) fn start_of(process: &str, data: Value) -> StartRequest {
    StartRequest {
        test: false,
        process: Some(process.into()),
        data,
        business_key: None,
        start_condition: None,
        inherit: None,
        caller: alice(),
        anonymous: false,
        stranger: Default::default(),
        command: Uuid::now_v7(),
        hash: 0,
    }
}

pub(super) fn run(action: &str, data: Value) -> InstanceRequest {
    let command = Command::Run(RunAction {
        action: action.into(),
        element: None,
        data,
        file: None,
    });
    InstanceRequest::Apply {
        command: Box::new(command),
        tag: None,
        if_seq: None,
    }
}

pub(super) async fn send(
    runtime: &Arc<Runtime>,
    key: InstanceKey,
    request: InstanceRequest,
) -> InstanceResponse {
    answer(|reply| {
        runtime.dispatch(
            key,
            Envelope {
                caller: Some(alice()),
                request,
                reply,
            },
        )
    })
    .await
}

pub(super) async fn observe(runtime: &Arc<Runtime>, key: InstanceKey) -> Arc<Observed> {
    match send(runtime, key, InstanceRequest::Observe).await {
        InstanceResponse::Observed(observed) => observed,
        other => panic!("{other:?}"),
    }
}

fn save(first_name: &str) -> InstanceRequest {
    let client = json!({"firstName": first_name, "lastName": "Byron", "email": "a@example.org", "age": 36, "income": 50_000});
    run("save", json!({"client": client}))
}

/// Waits until the credit check is done and the token is at `review`.
async fn reach_review(runtime: &Arc<Runtime>, key: InstanceKey) {
    while !observe(runtime, key)
        .await
        .next
        .tokens
        .iter()
        .any(|token| &*token.node == "review")
    {
        tokio::task::yield_now().await;
    }
}
