//! Calls to other systems, made to a server of the test: what is sent, what is received, and what a
//! crash leaves.
//!
//! Process time is virtual and nothing sleeps: pauses end when the clock is set. Forbidden targets
//! are tested beside the allow-list.

mod cutting;
mod failing;
mod receiver;
mod redirecting;
mod sending;
mod webhooks;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    alice, answer, applied,
    cuts::{Cut, idle},
    observe, published,
};
use crate::{
    engine::{Record, RecordBatch, record::Status},
    journal::{Entity, HttpCallRow, Journal, MemoryStore, StoreReader, codec},
    limits,
    model::{
        ids::{InstanceKey, Time},
        source::SourceFormat,
    },
    runtime::{
        Runtime, StartRequest,
        clock::Clock,
        files::Files,
        http_calls::{HttpCallSettings, Targets},
    },
};
use receiver::{Received, Receiver};

/// The key with which webhooks are signed.
const KEY: &[u8] = b"a key of twenty-four byte";

/// What outlives a server, and the operator's settings.
#[derive(Clone)]
struct Stage {
    store: MemoryStore,
    clock: Clock,
    settings: HttpCallSettings,
}

impl Stage {
    fn new(targets: &[&str]) -> Self {
        let targets: Vec<String> = targets.iter().map(|text| (*text).to_owned()).collect();
        let secrets = BTreeMap::from([("TOKEN".to_owned(), "hush".to_owned())]);
        let settings =
            HttpCallSettings::new(Targets::parse(&targets).unwrap(), secrets, KEY.to_vec());
        Self {
            store: MemoryStore::default(),
            clock: Clock::stopped_at(Time(0)),
            settings,
        }
    }

    /// One run of the server, until `play` ends or a write is refused. `None` when it was cut off.
    fn live<T>(&self, writes: usize, play: impl AsyncFnOnce(Arc<Runtime>) -> T) -> Option<T> {
        let store = Box::new(Cut {
            store: self.store.clone(),
            left: writes,
        });
        let (clock, settings) = (self.clock.clone(), self.settings.clone());
        actix_rt::System::new().block_on(async move {
            let fatal = Arc::new(Notify::new());
            let noted = fatal.clone();
            let journal = Journal::start(
                store,
                limits::WRITER_QUEUE.get(),
                Box::new(move |_| noted.notify_one()),
            )
            .unwrap();
            let arbiter = actix_rt::Arbiter::new();
            let arbiters = vec![arbiter.handle()];
            let runtime = Runtime::start(
                journal.clone(),
                Files::temporary(),
                settings,
                clock,
                arbiters,
                None,
            )
            .await
            .unwrap();
            let played = tokio::select! {
                played = play(runtime.clone()) => Some(played),
                () = fatal.notified() => None,
            };
            runtime.stop();
            arbiter.stop();
            journal.shutdown();
            played
        })
    }

    /// Runs one instance of a process with this action until nothing is in progress.
    fn play(&self, params: Value) -> Outcome {
        self.live(usize::MAX, async |runtime| {
            deploy(&runtime, &process(params)).await;
            let key = start(&runtime, 1).await;
            idle(&runtime).await;
            Outcome::of(&runtime, key).await
        })
        .unwrap()
    }

    /// Moves process time by `ms`, and reads the instance again.
    fn after(&self, ms: i64, key: InstanceKey) -> Outcome {
        self.clock.set(Time(self.clock.now().0 + ms));
        self.live(usize::MAX, async |runtime| {
            idle(&runtime).await;
            Outcome::of(&runtime, key).await
        })
        .unwrap()
    }

    fn calls(&self) -> Vec<HttpCallRow> {
        self.store.http_calls("default", None, 100).unwrap()
    }
}

/// The outcome of an instance.
struct Outcome {
    key: InstanceKey,
    status: Status,
    data: Value,
    /// Code and sentence.
    incident: Option<(String, String)>,
}

impl Outcome {
    async fn of(runtime: &Arc<Runtime>, key: InstanceKey) -> Self {
        let observed = observe(runtime, key).await;
        let incident = observed
            .next
            .tokens
            .iter()
            .find_map(|token| token.incident.clone());
        Self {
            key,
            status: observed.next.status,
            data: (*observed.whole.as_ref().unwrap().data).clone(),
            incident: incident.map(|incident| (incident.code, incident.message)),
        }
    }

    /// The sentence of an incident with this code.
    #[track_caller]
    fn failed(&self, code: &str) -> &str {
        let (found, sentence) = self.incident.as_ref().expect("an incident");
        assert_eq!(found, code, "{sentence}");
        assert!(
            sentence.contains("expected ") && sentence.contains(", but "),
            "{sentence}"
        );
        sentence
    }
}

/// A process of one service task that makes one call.
fn process(params: Value) -> Value {
    json!({"id": "p", "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "call", "type": "serviceTask", "actions": [{"name": "call", "type": "httpRequest", "params": params}]},
        {"id": "end", "type": "endEvent"},
    ], "flows": [{"id": "f1", "source": "start", "target": "call"}, {"id": "f2", "source": "call", "target": "end"}]})
}

async fn deploy(runtime: &Arc<Runtime>, source: &Value) {
    let source = source.to_string();
    let (source, format) = (source.as_bytes(), SourceFormat::Json);
    let deploy = published(source, format);
    runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
}

async fn start(runtime: &Arc<Runtime>, command: u128) -> InstanceKey {
    applied(answer(|reply| runtime.start_instance(request(command), reply)).await).instance
}

fn request(command: u128) -> StartRequest {
    StartRequest {
        test: false,
        process: Some("p".into()),
        data: json!({"name": "Ada"}),
        business_key: Some("b1".into()),
        start_condition: None,
        inherit: None,
        caller: alice(),
        anonymous: false,
        stranger: Default::default(),
        command: Uuid::from_u128(command),
        hash: 0,
    }
}

/// The records of an instance.
fn records(store: &MemoryStore, key: InstanceKey) -> Vec<Record> {
    let rows = store.rows(Entity::from(key), 0, usize::MAX).unwrap();
    rows.iter()
        .flat_map(|stored| {
            codec::decode::<RecordBatch>(&stored.row.body)
                .unwrap()
                .records
        })
        .collect()
}

/// The key by which the receiver recognises a repeat.
fn key_of(received: &Received) -> &str {
    received
        .header("idempotency-key")
        .expect("every call has a key")
}
