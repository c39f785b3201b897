//! A snapshot that cannot be used costs a full replay, but no instance is lost.

use std::time::Duration;

use super::*;
use crate::{
    engine::InstanceState,
    journal::{
        Entity, MemoryStore, SnapshotRow, SqliteStore, codec,
        snapshot::{self, Restored, VERSION},
    },
};

async fn put(journal: &Journal, entity: Entity, snapshot: SnapshotRow) {
    let (sender, receiver) = oneshot::channel();
    let slot = journal.reserve().unwrap();
    slot.snapshot(
        entity,
        snapshot,
        Box::new(move |written| sender.send(written.is_ok()).unwrap()),
    );
    assert!(receiver.await.unwrap());
}

async fn restored(journal: &Journal, entity: Entity) -> Restored {
    let read = journal.read(move |reader| snapshot::restore(reader, entity));
    read.await.unwrap().unwrap()
}

/// What a disk, an older or newer program, or a mistake may leave in place of a snapshot.
fn unusable(good: &SnapshotRow, foreign: &SnapshotRow) -> Vec<SnapshotRow> {
    let with_body = |body: Vec<u8>| SnapshotRow {
        seq: good.seq,
        body,
    };
    let mut bad = vec![
        with_body(Vec::new()),
        with_body(vec![1]),
        with_body(good.body[..good.body.len() / 2].to_vec()),
        with_body(b"not a snapshot".to_vec()),
        with_body(foreign.body.clone()),
        SnapshotRow {
            seq: good.seq + 1,
            body: good.body.clone(),
        },
    ];
    for version in [VERSION - 1, VERSION + 1] {
        let mut body = good.body.clone();
        body[..2].copy_from_slice(&version.to_be_bytes());
        bad.push(with_body(body));
    }
    let step = (good.body.len() / 40).max(1);
    for at in (0..good.body.len()).step_by(step) {
        let mut body = good.body.clone();
        body[at] ^= 1 << (at % 8);
        bad.push(with_body(body));
    }
    bad
}

/// Waits until no instance is in memory: an instance whose last row is in flight leaves after that.
async fn all_have_left(runtime: &Arc<Runtime>) {
    while runtime.live_instances() > 0 {
        runtime.registry.sweep(Duration::ZERO);
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn an_unusable_snapshot_is_replaced_by_a_replay() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let (runtime, journal) = runtime_over(Box::new(store)).await;
    let other = Entity::from(start(&runtime).await);
    let key = start(&runtime).await;
    applied(send(&runtime, key, save("Ada")).await);
    reach_review(&runtime, key).await;
    let entity = Entity::from(key);
    let whole: InstanceState = restored(&journal, entity).await.state.unwrap();
    let foreign = restored(&journal, other).await.state.unwrap();
    let good = snapshot::take(&whole).unwrap();
    assert!(snapshot::read(entity, &good).unwrap() == whole);
    // Neither the version nor the checksum counts as data.
    let encoded = codec::encode(&whole).unwrap();
    assert_eq!(snapshot::memory(&good.body), codec::memory(&encoded));
    let foreign = snapshot::take(&foreign).unwrap();
    for bad in unusable(&good, &foreign) {
        put(&journal, entity, bad).await;
        let again = restored(&journal, entity).await;
        assert!(again.state.as_ref() == Some(&whole) && again.snapshot_bytes == 0);
    }
    // The runtime continues from there, and its next snapshot is valid.
    all_have_left(&runtime).await;
    put(&journal, entity, unusable(&good, &foreign).remove(2)).await;
    let committed = applied(
        send(
            &runtime,
            key,
            run("simulate", json!({"loan": {"amount": 1}})),
        )
        .await,
    );
    assert_eq!(committed.row.first_seq, whole.seq() + 1);
    all_have_left(&runtime).await;
    let last = restored(&journal, entity).await;
    assert_eq!(last.state.unwrap().seq(), committed.row.last_seq());
}

#[actix_rt::test]
async fn an_earlier_state_is_folded_from_few_rows_or_refused() {
    let (runtime, journal) = runtime_over(Box::new(MemoryStore::default())).await;
    let key = start(&runtime).await;
    let entity = Entity::from(key);
    let until = |seq, most| {
        let read = journal.read(move |reader| snapshot::until(reader, entity, seq, most));
        async move { read.await.unwrap().unwrap() }
    };
    let now = observe(&runtime, key).await.seq;
    let (state, _) = until(now, 1).await.unwrap().fold().unwrap().unwrap();
    assert_eq!(state.seq(), now);
    assert!(until(now - 1, 1).await.unwrap().fold().unwrap().is_none());
    assert!(until(now, 0).await.is_none(), "that is one row too many");
    journal.shutdown();
}
