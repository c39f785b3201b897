//! Former versions leave memory, and come back for the instances that run them.

use std::time::Duration;

use super::*;
use crate::{
    journal::{DefinitionState, SqliteStore},
    runtime::definitions::{DeployError, KnownVersion},
};

async fn deploy(runtime: &Runtime, source: &str) -> u32 {
    let deploy = published(source.as_bytes(), SourceFormat::BpmnXml);
    runtime.definitions.deploy(deploy).await.unwrap()[0]
        .row
        .version
}

fn known(runtime: &Runtime, version: u32) -> Arc<KnownVersion> {
    let known = runtime
        .definitions
        .version("default", "onboarding", version);
    known.unwrap()
}

/// Waits until no instance is in memory and nobody uses the first version.
async fn leave(runtime: &Runtime) {
    while runtime.live_instances() > 0 || known(runtime, 1).in_memory().is_some() {
        runtime.registry.sweep(Duration::ZERO);
        runtime.hub.sweep();
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn a_former_version_is_in_memory_only_while_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let store = Box::new(SqliteStore::open(directory.path()).unwrap());
    let (runtime, _journal) = runtime_over(store).await;
    let key = start(&runtime).await;
    let other = EXAMPLES[0].replacen("<bpmn:process ", "<!-- another --><bpmn:process ", 1);
    assert_ne!(other, EXAMPLES[0]);
    assert_eq!(deploy(&runtime, &other).await, 2);
    assert_eq!(known(&runtime, 1).row.state, DefinitionState::Deprecated);
    assert!(
        known(&runtime, 1).in_memory().is_some(),
        "an instance runs it"
    );
    leave(&runtime).await;
    assert!(known(&runtime, 1).in_memory().is_none() && known(&runtime, 2).in_memory().is_some());

    let saved = applied(send(&runtime, key, save("Ada")).await);
    assert_eq!(saved.process.row.version, 1, "it goes on with its version");
    assert!(known(&runtime, 1).in_memory().is_some());
    let source = runtime.definitions.source(&known(&runtime, 1).row).await;
    assert_eq!(&*source.unwrap(), EXAMPLES[0].as_bytes());

    // Back to the earlier version: by its number, and by its content.
    let published = runtime
        .definitions
        .publish("default", "onboarding", 1)
        .await;
    assert_eq!(published.unwrap().state, DefinitionState::Published);
    let process = runtime.definitions.published("default", "onboarding");
    assert_eq!(process.unwrap().row.version, 1);
    assert!(known(&runtime, 2).in_memory().is_none());
    assert_eq!(deploy(&runtime, &other).await, 2);
    let process = runtime.definitions.published("default", "onboarding");
    assert_eq!(process.unwrap().row.version, 2);
    let gone = runtime
        .definitions
        .publish("default", "onboarding", 9)
        .await;
    assert!(matches!(gone, Err(DeployError::NotFound)));
    runtime
        .definitions
        .deprecate("default", "onboarding", 2)
        .await
        .unwrap();
    assert!(known(&runtime, 2).in_memory().is_none());
}

#[actix_web::test]
async fn instances_of_an_evicted_version_share_one_compiled_form() {
    let directory = tempfile::tempdir().unwrap();
    let store = Box::new(SqliteStore::open(directory.path()).unwrap());
    let (runtime, _journal) = runtime_over(store).await;
    let mut keys = Vec::new();
    for _ in 0..8 {
        keys.push(start(&runtime).await);
    }
    let other = EXAMPLES[0].replacen("<bpmn:process ", "<!-- another --><bpmn:process ", 1);
    deploy(&runtime, &other).await;
    leave(&runtime).await;
    let all = keys.iter().map(|key| observe(&runtime, *key));
    let all = futures_util::future::join_all(all).await;
    let shared = known(&runtime, 1).in_memory().unwrap();
    for one in all {
        assert_eq!(one.process.row.version, 1);
        assert!(Arc::ptr_eq(&one.process, &shared));
    }
}
