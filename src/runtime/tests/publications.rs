//! A publication after an answer finds what waited when the answer was given.

use std::time::Duration;

use super::{
    brake::{Brake, Braked},
    *,
};
use crate::{
    engine::{correlation::Correlation, record::CommandTag},
    journal::{EntityKind, MemoryStore, StoreError, StoreReader, WriteOp},
    runtime::correlations::publish::{PublishRequest, Published},
};

/// A store with a brake for the rows of signals only.
struct SlowSignals {
    braked: Braked,
}

impl Store for SlowSignals {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let is_signal = |op: &WriteOp| matches!(op, WriteOp::Commit(commit) if commit.row.entity.kind == EntityKind::Signal);
        if batch.iter().any(is_signal) {
            self.braked.commit(batch)
        } else {
            self.braked.store.commit(batch)
        }
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.braked.reader()
    }
}

async fn publish(runtime: &Arc<Runtime>) -> Published {
    let request = PublishRequest {
        by: None,
        tenant: "default".into(),
        correlation: Correlation::Signal { name: "go".into() },
        data: json!({}),
        until: None,
        business_key: None,
        tag: CommandTag {
            id: Uuid::now_v7(),
            subject: "ops".into(),
            hash: 0,
        },
    };
    let (sender, answered) = oneshot::channel();
    runtime.publish(request, Box::new(move |answer| drop(sender.send(answer))));
    answered.await.unwrap().unwrap()
}

/// A runtime whose rows of signals wait while the brake is pulled, with these processes.
async fn with_processes(processes: &[Value]) -> (Arc<Runtime>, Journal, Brake) {
    let brake = Brake::default();
    let store = SlowSignals {
        braked: Braked {
            store: MemoryStore::default(),
            brake: brake.clone(),
        },
    };
    let (runtime, journal) = runtime_over(Box::new(store)).await;
    for process in processes {
        let source = process.to_string();
        let deploy = published(source.as_bytes(), SourceFormat::Json);
        runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
    }
    (runtime, journal, brake)
}

/// A process of one path: events that throw (`t…`) or wait for (`w…`) the signal.
fn path(id: &str, events: &[&str]) -> Value {
    let event = |id: &&str| {
        let kind = match id.starts_with('t') {
            true => "intermediateThrowEvent",
            false => "intermediateCatchEvent",
        };
        json!({"id": id, "type": kind, "event": {"type": "signal", "name": "go"}})
    };
    let mut nodes = vec![json!({"id": "start", "type": "startEvent"})];
    nodes.extend(events.iter().map(event));
    nodes.push(json!({"id": "end", "type": "endEvent"}));
    let flow = |pair: &[Value]| {
        let (from, to) = (&pair[0]["id"], &pair[1]["id"]);
        json!({"id": format!("{from}-{to}").replace('"', ""), "source": from, "target": to})
    };
    let flows: Vec<Value> = nodes.windows(2).map(flow).collect();
    json!({"id": id, "nodes": nodes, "flows": flows})
}

#[actix_web::test]
async fn an_instance_that_throws_a_signal_and_then_waits_for_it_is_found_by_the_next_one() {
    let (runtime, _journal, brake) = with_processes(&[path("p", &["throw", "wait"])]).await;

    // The signal's entity has received what was thrown, but its row is not durable yet, so that it
    // receives the note of the waiting event only after that.
    brake.pull();
    let started = answer(|reply| runtime.start_instance(start_of("p", json!({})), reply)).await;
    let instance = applied(started).instance;
    brake.reached().await;
    let published = publish(&runtime);
    let released = async { brake.release() };
    let (published, ()) = futures_util::join!(published, released);
    assert_eq!(published.outcome.instances, [instance]);
}

#[actix_web::test]
async fn what_another_instance_throws_finds_it_too() {
    let processes = [path("p", &["t1", "t2", "wait"]), path("q", &["throw"])];
    let (runtime, journal, brake) = with_processes(&processes).await;

    // Of the three notes of the first instance the entity has received one, and its row is not
    // durable yet. The row of the other instance is written right after it, before that of the
    // second note.
    brake.pull();
    let started = answer(|reply| runtime.start_instance(start_of("p", json!({})), reply)).await;
    let instance = applied(started).instance;
    brake.reached().await;
    let queued = journal.queued();
    let thrown = answer(|reply| runtime.start_instance(start_of("q", json!({})), reply));
    let released = async {
        while journal.queued() == queued {
            tokio::task::yield_now().await;
        }
        brake.release();
    };
    let (thrown, ()) = futures_util::join!(thrown, released);
    applied(thrown);
    let ended = async {
        while observe(&runtime, instance).await.ended_at.is_none() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), ended).await;
    assert!(in_time.is_ok(), "the signal passed the waiting event by");
}
