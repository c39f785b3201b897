//! What has ended is compressed and deleted, and nothing else is.

mod correlations;

use std::{io::ErrorKind, sync::Arc, time::Duration};

use serde_json::json;
use uuid::Uuid;

use crate::{
    engine::{Command, access::Caller},
    journal::{
        Commit, DroppedInstance, Entity, HistoryChange, HistorySegment, LogRow, MemoryStore,
        SqliteStore, Store, StoreError, StoreReader, WriteOp,
    },
    limits::{self, Retention},
    model::{
        ids::{InstanceKey, Time},
        source::SourceFormat,
    },
    runtime::{
        Runtime,
        clock::Clock,
        definitions::Deploy,
        files::Files,
        instance_request::{Envelope, InstanceRequest, InstanceResponse},
        tests::{answer, applied, observe, run, runtime_at, send, start_of},
    },
};

const DAY: Duration = Duration::from_secs(86_400);
const T0: i64 = 1_800_000_000_000;
const PACK: Retention = Retention {
    archive_after: Some(DAY),
    drop_after: None,
    audit_keep: None,
};
const DROP: Retention = Retention {
    archive_after: Some(DAY),
    drop_after: Some(Duration::from_secs(3 * 86_400)),
    audit_keep: None,
};

/// `short` runs to its end; `waiting` stays at a task; `parent` calls `short`, and ends by `go`.
const PROCESSES: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" targetNamespace="http://example.org">
<process id="short" isExecutable="true">
  <startEvent id="a"/><sequenceFlow id="b" sourceRef="a" targetRef="c"/><endEvent id="c"/>
</process>
<process id="waiting" isExecutable="true">
  <startEvent id="d"/><sequenceFlow id="e" sourceRef="d" targetRef="f"/>
  <userTask id="f"><extensionElements><stepwire:actions>
    <stepwire:action name="go" order="1" type="saveData" trigger="manual"/>
  </stepwire:actions></extensionElements></userTask>
  <sequenceFlow id="g" sourceRef="f" targetRef="h"/><endEvent id="h"/>
</process>
<process id="parent" isExecutable="true">
  <startEvent id="i"/><sequenceFlow id="j" sourceRef="i" targetRef="k"/>
  <callActivity id="k" calledElement="short"/><sequenceFlow id="l" sourceRef="k" targetRef="m"/>
  <userTask id="m"><extensionElements><stepwire:actions>
    <stepwire:action name="go" order="1" type="saveData" trigger="manual"/>
  </stepwire:actions></extensionElements></userTask>
  <sequenceFlow id="n" sourceRef="m" targetRef="o"/><endEvent id="o"/>
</process>
</definitions>"#;

struct Stage {
    runtime: Arc<Runtime>,
    now: i64,
}

impl Stage {
    async fn on(store: Box<dyn Store>) -> Self {
        let (runtime, _) = runtime_at(Clock::stopped_at(Time(T0)), store).await;
        let deploy = Deploy {
            tenant: "default",
            source: PROCESSES.as_bytes(),
            format: SourceFormat::BpmnXml,
            publish: true,
            by: "test",
            now: Time(T0),
        };
        runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
        Self { runtime, now: T0 }
    }

    async fn start(&self, process: &str) -> InstanceKey {
        let start = start_of(process, json!({"text": "x".repeat(500)}));
        applied(answer(|reply| self.runtime.start_instance(start, reply)).await).instance
    }

    fn after_days(&mut self, days: i64) {
        self.now += days * 86_400_000;
        self.runtime.clock.set(Time(self.now));
    }

    /// Makes every instance leave memory, as it would after a while.
    async fn empty_memory(&self) {
        while self.runtime.live_instances() > 0 {
            self.runtime.registry.sweep(Duration::ZERO);
            tokio::task::yield_now().await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.runtime.journal.read(question).await.unwrap().unwrap()
    }

    async fn unpacked(&self, key: InstanceKey) -> usize {
        self.read(move |reader| reader.unpacked_rows(key.into(), 1_000, usize::MAX))
            .await
            .len()
    }

    async fn is_listed(&self, key: InstanceKey) -> bool {
        self.read(move |reader| reader.instance(key))
            .await
            .is_some()
    }

    async fn rows(&self, key: InstanceKey) -> Vec<(u64, u64, Vec<u8>)> {
        let rows = self.read(move |reader| reader.rows(key.into(), 0, usize::MAX));
        let row = |stored: crate::journal::StoredRow| {
            (stored.row.first_seq, stored.row.last_seq, stored.row.body)
        };
        rows.await.into_iter().map(row).collect()
    }
}

#[actix_web::test]
async fn ended_instances_are_packed_and_still_readable() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::on(Box::new(SqliteStore::open(dir.path()).unwrap())).await;
    let ended = stage.start("short").await;
    let waiting = stage.start("waiting").await;
    stage.empty_memory().await;
    let (rows, before) = (
        stage.rows(ended).await,
        observe(&stage.runtime, ended).await,
    );

    let young = stage.runtime.retain(PACK).await.unwrap();
    assert_eq!((young.packed, stage.unpacked(ended).await), (0, rows.len()));

    stage.after_days(2);
    stage.empty_memory().await;
    let old = stage.runtime.retain(PACK).await.unwrap();
    assert_eq!(old.packed as usize, rows.len(), "the live one is left");
    assert_eq!(stage.unpacked(ended).await, 0);
    assert!(stage.unpacked(waiting).await > 0);
    assert_eq!(stage.rows(ended).await, rows);
    let after = observe(&stage.runtime, ended).await;
    assert_eq!((after.seq, after.ended_at), (before.seq, before.ended_at));

    let size = stage.read(|reader| reader.history_size()).await;
    assert_eq!(size.rows, old.packed);
    assert!(size.bytes > 0);
    let again = stage.runtime.retain(PACK).await.unwrap();
    assert_eq!((again.packed, again.dropped), (0, 0));
}

#[actix_web::test]
async fn a_tree_is_deleted_once_all_its_instances_have_ended() {
    for on_disk in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store: Box<dyn Store> = if on_disk {
            Box::new(SqliteStore::open(dir.path()).unwrap())
        } else {
            Box::new(MemoryStore::default())
        };
        let mut stage = Stage::on(store).await;
        let parent = stage.start("parent").await;
        let children = loop {
            let observed = observe(&stage.runtime, parent).await;
            let at_task = observed.next.tokens.iter().any(|token| &*token.node == "m");
            if at_task {
                break stage.read(move |reader| reader.below(parent, 10)).await;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(children.len(), 1);
        stage.after_days(5);
        stage.start("waiting").await;
        stage.empty_memory().await;
        let done = stage.runtime.retain(DROP).await.unwrap();
        assert_eq!(done.dropped, 0, "its root is live");

        let go = send(&stage.runtime, parent, run("go", json!({}))).await;
        assert!(matches!(go, InstanceResponse::Applied(_)), "{go:?}");
        stage.after_days(2);
        stage.start("waiting").await;
        stage.empty_memory().await;
        let done = stage.runtime.retain(DROP).await.unwrap();
        assert_eq!(done.dropped, 0, "its root has ended two days ago");

        stage.after_days(2);
        let done = stage.runtime.retain(DROP).await.unwrap();
        assert_eq!(done.dropped, 2);
        for key in [parent, children[0]] {
            assert!(!stage.is_listed(key).await);
            assert!(stage.rows(key).await.is_empty());
            assert!(
                !stage
                    .read(move |reader| reader.exists(Entity::from(key)))
                    .await
            );
        }
        let size = stage.read(|reader| reader.history_size()).await;
        assert_eq!((size.rows, size.bytes), (0, 0));
        let gone = send(&stage.runtime, parent, run("go", json!({}))).await;
        assert!(matches!(gone, InstanceResponse::Refused(_)), "{gone:?}");
    }
}

#[actix_web::test]
async fn live_followed_and_newest_rows_are_left_to_the_next_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::on(Box::new(SqliteStore::open(dir.path()).unwrap())).await;
    let ended = stage.start("short").await;
    stage.empty_memory().await;
    stage.after_days(9);
    let last = stage.runtime.retain(DROP).await.unwrap();
    assert_eq!((last.packed, last.dropped), (0, 0), "the log ends with it");

    stage.start("waiting").await;
    assert!(stage.runtime.registry.keep_out(ended), "as if it came");
    assert_eq!(stage.runtime.retain(DROP).await.unwrap().dropped, 0);
    assert!(!stage.runtime.registry.reopen(ended, Vec::new()));
    let channel = stage.runtime.hub.follow(ended);
    assert_eq!(stage.runtime.retain(DROP).await.unwrap().dropped, 0);
    drop(channel);
    assert_eq!(stage.runtime.retain(DROP).await.unwrap().dropped, 1);
}

/// Adds rows to an instance, as an operator.
async fn patch_often(stage: &Stage, key: InstanceKey, times: usize) {
    for n in 0..times {
        let command = Box::new(Command::Patch {
            scope: None,
            data: json!({ "n": n }),
        });
        let request = InstanceRequest::Apply {
            command,
            tag: None,
            if_seq: None,
        };
        let caller = Some(Caller {
            operator: true,
            ..start_of("", json!({})).caller
        });
        let answered = answer(|reply| {
            let envelope = Envelope {
                caller,
                request,
                reply,
            };
            stage.runtime.dispatch(key, envelope);
        });
        applied(answered.await);
    }
}

#[actix_web::test]
async fn a_long_instance_is_packed_in_pieces_and_dropped_after_that() {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::on(Box::new(SqliteStore::open(dir.path()).unwrap())).await;
    let long = stage.start("waiting").await;
    patch_often(&stage, long, 600).await;
    let go = send(&stage.runtime, long, run("go", json!({}))).await;
    assert!(matches!(go, InstanceResponse::Applied(_)), "{go:?}");
    stage.start("waiting").await;
    let rows = stage.rows(long).await;
    assert!(rows.len() > 600);
    stage.after_days(2);
    stage.empty_memory().await;
    stage.runtime.retain(PACK).await.unwrap();
    assert_eq!(stage.unpacked(long).await, 0);
    assert_eq!(stage.rows(long).await, rows, "over several segments");
    let (seq, limit) = (rows[300].1, 5);
    let part = stage
        .read(move |reader| reader.rows(long.into(), seq, limit))
        .await;
    let seqs: Vec<u64> = part.iter().map(|stored| stored.row.first_seq).collect();
    let expected: Vec<u64> = rows[301..306].iter().map(|row| row.0).collect();
    assert_eq!(seqs, expected);
    stage.after_days(9);
    stage.start("waiting").await;
    stage.empty_memory().await;
    assert_eq!(stage.runtime.retain(DROP).await.unwrap().dropped, 1);
    assert!(stage.rows(long).await.is_empty());
}

#[actix_web::test]
async fn files_are_deleted_with_their_instance_even_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::open(dir.path()).unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let key = InstanceKey(Uuid::from_u128(7));
    let mut names = Vec::new();
    for bytes in [b"one", b"two"] {
        let mut incoming = files.begin(key).unwrap();
        incoming.write(bytes).unwrap();
        let received = incoming.finish().unwrap();
        names.push(received.named("a".into(), "text/plain".into()).id);
        received.sent().keep();
    }
    // As if a server had deleted the instance and ended before it removed the files.
    let dropped = DroppedInstance {
        key,
        files: names.clone(),
    };
    let drop = HistoryChange::Drop(vec![dropped]);
    store.commit(&[WriteOp::History(drop)]).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.files_to_remove(9).unwrap().len(), 2);
    assert_eq!(files.remove(&[(key, names[0])]), [(key, names[0])]);
    let gone =
        |id| matches!(files.open_file(key, id), Err(error) if error.kind() == ErrorKind::NotFound);
    assert!(gone(names[0]) && !gone(names[1]));
    // Whether a file exists or not, it is gone afterwards.
    let noted: Vec<_> = names.iter().map(|id| (key, *id)).collect();
    assert_eq!(files.remove(&noted), noted);
    assert!(gone(names[1]));
    let removed = HistoryChange::FilesRemoved(noted);
    store.commit(&[WriteOp::History(removed)]).unwrap();
    assert!(reader.files_to_remove(9).unwrap().is_empty());
}

#[test]
fn rows_that_changed_since_they_were_read_are_not_packed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let (key, row) = (InstanceKey(Uuid::from_u128(7)), |seq| LogRow {
        entity: InstanceKey(Uuid::from_u128(7)).into(),
        tenant: "default".into(),
        first_seq: seq,
        last_seq: seq,
        time: Time(1),
        body: vec![1; 100],
    });
    let append = |seq| WriteOp::Commit(Commit::of(row(seq)));
    store.commit(&[append(1), append(2)]).unwrap();
    let reader = store.reader().unwrap();
    let rows = reader.unpacked_rows(key.into(), 9, usize::MAX).unwrap();
    let one = reader.unpacked_rows(key.into(), 9, 1).unwrap();
    assert_eq!((rows.len(), one.len()), (2, 1), "bytes bound it, too");
    let segment = HistorySegment::pack(rows.clone()).unwrap().unwrap();
    let pack = WriteOp::History(HistoryChange::Pack(vec![segment]));
    store.commit(&[pack.clone(), pack]).unwrap();
    assert_eq!(reader.rows(key.into(), 0, 9).unwrap(), rows, "packed once");
    assert_eq!(reader.history_size().unwrap().rows, 2);
    assert_eq!(reader.load(key.into()).unwrap().rows, rows);
    store.commit(&[append(3)]).unwrap();
    let all = reader.rows(key.into(), 0, 9).unwrap();
    assert_eq!(all.len(), 3, "the log goes on behind what is packed");
    let after = |seq| reader.rows(key.into(), seq, 9).unwrap().len();
    assert_eq!([after(1), after(2), after(3)], [2, 1, 0]);
    assert_eq!(
        reader.instance_keys(InstanceKey(Uuid::nil()), 9).unwrap(),
        [key]
    );
}

#[actix_web::test]
async fn free_pages_beyond_a_bound_are_returned_to_the_file_system() {
    const MIB: usize = 1 << 20;
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let key = InstanceKey(Uuid::from_u128(7));
    let append = |seq| {
        WriteOp::Commit(Commit::of(LogRow {
            entity: key.into(),
            tenant: "default".into(),
            first_seq: seq,
            last_seq: seq,
            time: Time(1),
            body: vec![seq as u8; MIB],
        }))
    };
    let rows: Vec<WriteOp> = (1..=68).map(append).collect();
    store.commit(&rows).unwrap();
    let gone = DroppedInstance {
        key,
        files: Vec::new(),
    };
    store
        .commit(&[WriteOp::History(HistoryChange::Drop(vec![gone]))])
        .unwrap();
    let stage = Stage::on(Box::new(store)).await;
    let waiting = stage.start("waiting").await;

    let before = stage.read(|reader| reader.history_size()).await;
    assert!(before.free >= 68 * MIB as u64, "{before:?}");
    let done = stage.runtime.retain(PACK).await.unwrap();
    let after = stage.read(|reader| reader.history_size()).await;
    assert_eq!(after.database, before.database - done.given_back);
    assert!(after.free <= limits::DATABASE_FREE_BYTES, "{after:?}");
    // At most one step beyond what may stay.
    assert!(
        after.free > limits::DATABASE_FREE_BYTES - 2 * MIB as u64,
        "{after:?}"
    );
    assert!(
        !stage.rows(waiting).await.is_empty(),
        "what stays is where it was"
    );
    let again = stage.runtime.retain(PACK).await.unwrap();
    assert_eq!(again.given_back, 0);
}
