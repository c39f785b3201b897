//! A publication after an answer finds what waited when the answer was given.

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

#[actix_web::test]
async fn an_instance_that_throws_a_signal_and_then_waits_for_it_is_found_by_the_next_one() {
    let brake = Brake::default();
    let store = SlowSignals {
        braked: Braked {
            store: MemoryStore::default(),
            brake: brake.clone(),
        },
    };
    let (runtime, _journal) = runtime_over(Box::new(store)).await;
    let flow =
        |from: &str, to: &str| json!({"id": format!("{from}-{to}"), "source": from, "target": to});
    let go = json!({"type": "signal", "name": "go"});
    let process = json!({"id": "p",
        "nodes": [{"id": "start", "type": "startEvent"},
            {"id": "throw", "type": "intermediateThrowEvent", "event": go},
            {"id": "wait", "type": "intermediateCatchEvent", "event": go},
            {"id": "end", "type": "endEvent"}],
        "flows": [flow("start", "throw"), flow("throw", "wait"), flow("wait", "end")]});
    let source = process.to_string();
    let deploy = Deploy {
        tenant: "default",
        source: source.as_bytes(),
        format: SourceFormat::Json,
        publish: true,
        by: "test",
        now: Time(0),
    };
    runtime.definitions.deploy_if_unknown(deploy).await.unwrap();

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
