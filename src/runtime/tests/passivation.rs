//! Instances that leave memory between any two commands lose none of them.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    journal::{MemoryStore, SqliteStore},
    runtime::instance_request::Refusal,
};

const INSTANCES: usize = 8;
const COMMANDS: usize = 120;
/// Commands sent before an answer is awaited.
const AHEAD: usize = 3;

/// Sends a command until it is accepted: a mailbox full of requests to leave refuses it.
async fn until_applied(
    runtime: &Arc<Runtime>,
    key: InstanceKey,
    command: impl Fn() -> InstanceRequest,
) -> Arc<Committed> {
    loop {
        match send(runtime, key, command()).await {
            InstanceResponse::Refused(Refusal::Busy) => tokio::task::yield_now().await,
            answer => return applied(answer),
        }
    }
}

async fn stress(store: Box<dyn Store>) {
    let (runtime, _) = runtime_over(store).await;
    let mut clients = Vec::new();
    for _ in 0..INSTANCES {
        let runtime = runtime.clone();
        clients.push(tokio::task::spawn_local(async move {
            let key = start(&runtime).await;
            until_applied(&runtime, key, || save("Ada")).await;
            reach_review(&runtime, key).await;
            let mut last = observe(&runtime, key).await.seq;
            for _ in 0..COMMANDS / AHEAD {
                // Asks every instance to leave, while the others are in use.
                runtime.registry.sweep(Duration::ZERO);
                let simulate = || run("simulate", json!({"loan": {"amount": 1}}));
                let ahead = (0..AHEAD).map(|_| until_applied(&runtime, key, simulate));
                let mut rows = futures_util::future::join_all(ahead).await;
                rows.sort_by_key(|committed| committed.row.first_seq);
                for committed in rows {
                    assert_eq!(
                        committed.row.first_seq,
                        last + 1,
                        "every row follows the one before"
                    );
                    last = committed.row.last_seq();
                }
            }
            assert_eq!(
                observe(&runtime, key).await.seq,
                last,
                "nothing was applied that was not answered"
            );
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    let lives = runtime.registry.next_generation();
    assert!(
        lives > (INSTANCES * 4) as u64,
        "they did leave memory: {lives} lives"
    );
}

#[actix_web::test]
async fn no_command_is_lost_in_memory() {
    stress(Box::new(MemoryStore::default())).await;
}

#[actix_web::test]
async fn no_command_is_lost_with_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    stress(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
}
