//! What is stored of messages and signals is deleted once nobody needs it, and not before.

use super::*;
use crate::{
    engine::{correlation::Correlation, record::CommandTag},
    runtime::{
        correlations::publish::{PublishRequest, Published},
        instance_request::Refusal,
        keys,
    },
};

const WAITING: &str = r#"{"id": "hears", "nodes": [{"id": "s", "type": "startEvent"},
    {"id": "c", "type": "intermediateCatchEvent", "event": {"type": "signal", "name": "go"}},
    {"id": "m", "type": "intermediateCatchEvent", "event": {"type": "message", "name": "paid"}}],
    "flows": [{"id": "f", "source": "s", "target": "c"}, {"id": "g", "source": "c", "target": "m"}]}"#;

async fn publish(stage: &Stage, to: Correlation, ttl: i64, id: u128) -> Published {
    let request = PublishRequest {
        by: None,
        tenant: "default".into(),
        correlation: to,
        data: json!({}),
        until: (ttl > 0).then_some(Time(stage.now + ttl)),
        business_key: None,
        tag: CommandTag {
            id: Uuid::from_u128(id),
            subject: "ops".into(),
            hash: 0,
        },
    };
    let (sender, answered) = tokio::sync::oneshot::channel();
    let reply = Box::new(move |answer: Result<Published, Refusal>| drop(sender.send(answer)));
    stage.runtime.publish(request, reply);
    answered
        .await
        .expect("it is answered")
        .expect("it is published")
}

fn signal() -> Correlation {
    Correlation::Signal { name: "go".into() }
}

fn message() -> Correlation {
    Correlation::Message {
        name: "paid".into(),
        key: None,
    }
}

impl Stage {
    async fn rows_of(&self, correlation: &Correlation) -> usize {
        let entity = keys::of_correlation("default", correlation);
        self.read(move |reader| reader.rows(entity, 0, usize::MAX))
            .await
            .len()
    }

    /// A pass, with no entity in memory and another row at the end of the log.
    async fn pass(&self) -> u64 {
        self.start("short").await;
        self.empty_memory().await;
        while self.runtime.outbox.len() > 0 {
            tokio::task::yield_now().await;
        }
        self.runtime.correlations.sweep(Duration::ZERO);
        self.runtime.retain(PACK).await.unwrap().correlations
    }
}

#[actix_web::test]
async fn unused_correlations_are_deleted_after_a_day() {
    for on_disk in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store: Box<dyn Store> = if on_disk {
            Box::new(SqliteStore::open(dir.path()).unwrap())
        } else {
            Box::new(MemoryStore::default())
        };
        let mut stage = Stage::on(store).await;
        let deploy = Deploy {
            tenant: "default",
            source: WAITING.as_bytes(),
            format: SourceFormat::Json,
            publish: true,
            by: "test",
            now: Time(T0),
        };
        stage
            .runtime
            .definitions
            .deploy_if_unknown(deploy)
            .await
            .unwrap();
        let hears = stage.start("hears").await;
        stage.after_days(2);
        assert_eq!(stage.pass().await, 0, "somebody waits");

        let published = publish(&stage, signal(), 0, 1).await;
        assert_eq!(published.outcome.instances, [hears]);
        publish(&stage, message(), 3 * 86_400_000, 2).await;
        stage.now += 43_200_000;
        stage.runtime.clock.set(Time(stage.now));
        publish(&stage, signal(), 0, 1).await;
        assert_eq!(stage.pass().await, 0, "a day is not over");
        assert!(stage.rows_of(&signal()).await > 0);
        let again = publish(&stage, signal(), 0, 1).await;
        assert_eq!(again.outcome.instances, [hears], "it is a repeat");

        stage.after_days(1);
        // The instance took both, but the message is kept for instances of other processes.
        assert_eq!(stage.pass().await, 1);
        assert_eq!(stage.rows_of(&signal()).await, 0);
        assert!(stage.rows_of(&message()).await > 0);
        assert_eq!(stage.pass().await, 0);

        let next = stage.start("hears").await;
        let published = publish(&stage, signal(), 0, 3).await;
        assert_eq!(published.outcome.instances, [next], "it starts over");

        // A message is kept for elements that begin to wait.
        let other = Correlation::Message {
            name: "kept".into(),
            key: None,
        };
        publish(&stage, other.clone(), 3 * 86_400_000, 4).await;
        stage.after_days(2);
        stage.pass().await;
        assert!(stage.rows_of(&other).await > 0);
        stage.after_days(2);
        stage.pass().await;
        assert_eq!(stage.rows_of(&other).await, 0);
        assert!(stage.rows_of(&message()).await > 0, "the second one waits");
    }
}
