//! Readers are never refused for lack of space, are answered from durable state only, and share an
//! answer when they wait at the same time.

use std::sync::{Condvar, Mutex};

use super::*;
use crate::{
    journal::{MemoryStore, SqliteStore, StoreError, StoreReader, WriteOp},
    runtime::{
        instance_request::Refusal,
        read_queue::{Read, ReadRequest},
    },
};

/// Lets commits through while it is open.
#[derive(Default)]
struct Barrier {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Barrier {
    fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }
}

/// A store whose commits wait at a barrier.
struct Stalled(MemoryStore, Arc<Barrier>);

impl Store for Stalled {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let closed = self.1.closed.lock().unwrap();
        drop(self.1.opened.wait_while(closed, |closed| *closed).unwrap());
        self.0.commit(batch)
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.0.reader()
    }
}

async fn stalled() -> (Arc<Runtime>, Arc<Barrier>) {
    let barrier = Arc::<Barrier>::default();
    let (runtime, _) =
        runtime_over(Box::new(Stalled(MemoryStore::default(), barrier.clone()))).await;
    (runtime, barrier)
}

fn read(
    runtime: &Arc<Runtime>,
    key: InstanceKey,
    caller: Caller,
) -> oneshot::Receiver<InstanceResponse> {
    let (sender, receiver) = oneshot::channel();
    let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
    runtime.read(
        key,
        Read {
            caller: Some(caller),
            question: ReadRequest::Observe { whole: true },
            reply,
        },
    );
    receiver
}

fn observed(answer: InstanceResponse) -> Arc<Observed> {
    match answer {
        InstanceResponse::Observed(observed) => observed,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn nothing_is_read_before_it_is_durable() {
    let (runtime, barrier) = stalled().await;
    let key = start(&runtime).await;
    let before = observe(&runtime, key).await.seq;
    barrier.close();
    let command = tokio::task::spawn_local({
        let runtime = runtime.clone();
        async move { send(&runtime, key, save("Ada")).await }
    });
    // When the actor answers the next command, this one is decided and its row handed over.
    while runtime.journal.queued() == 0 {
        tokio::task::yield_now().await;
    }
    let mut reads: Vec<_> = (0..300).map(|_| read(&runtime, key, alice())).collect();
    // When another instance of the same thread has answered, this one has checked its readers.
    let mut neighbour = *Uuid::now_v7().as_bytes();
    neighbour[15] = key.partition();
    let neighbour = InstanceKey(Uuid::from_bytes(neighbour));
    answer(|reply| {
        runtime.dispatch(
            neighbour,
            Envelope {
                caller: None,
                request: InstanceRequest::Observe,
                reply,
            },
        )
    })
    .await;
    for read in &mut reads {
        assert!(read.try_recv().is_err(), "the row is not durable yet");
    }
    barrier.open();
    let row = applied(command.await.unwrap());
    for read in reads {
        let seen = observed(read.await.unwrap());
        assert!(
            seen.seq >= row.row.last_seq() && seen.seq > before,
            "{} after {}",
            seen.seq,
            row.row.last_seq()
        );
    }
}

#[actix_web::test]
async fn readers_need_no_queue_permit() {
    let barrier = Arc::<Barrier>::default();
    let store = Stalled(MemoryStore::default(), barrier.clone());
    let (runtime, _) = runtime_over(Box::new(store)).await;
    let key = start(&runtime).await;
    barrier.close();
    // More commands than the mailbox and the writer's queue have room for.
    let commands = limits::WRITER_QUEUE.get() + 2 * limits::INSTANCE_MAILBOX.get();
    let mut answers = Vec::new();
    for _ in 0..commands {
        let (sender, receiver) = oneshot::channel();
        let reply = ReplyTo::to(move |answer| {
            sender
                .send(matches!(answer, InstanceResponse::Refused(Refusal::Busy)))
                .unwrap_or_default()
        });
        runtime.dispatch(
            key,
            Envelope {
                caller: Some(alice()),
                request: save("Ada"),
                reply,
            },
        );
        answers.push(receiver);
        tokio::task::yield_now().await;
    }
    let reads: Vec<_> = (0..2_000).map(|_| read(&runtime, key, alice())).collect();
    barrier.open();
    for read in reads {
        observed(read.await.unwrap());
    }
    let mut busy = 0;
    for answer in answers {
        busy += usize::from(answer.await.unwrap());
    }
    assert!(busy > 0, "there was no room for all commands");
}

#[actix_web::test]
async fn concurrent_readers_share_one_read_with_their_own_permissions() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, _) = runtime_over(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    let key = start(&runtime).await;
    while runtime.live_instances() > 0 {
        runtime.registry.sweep(std::time::Duration::ZERO);
        tokio::task::yield_now().await;
    }
    // The instance is not in memory: all of them wait while it is loaded.
    let strangers: Vec<_> = (0..300)
        .map(|_| {
            read(
                &runtime,
                key,
                Caller {
                    subject: "mallory".into(),
                    ..alice()
                },
            )
        })
        .collect();
    let reads: Vec<_> = (0..3_000).map(|_| read(&runtime, key, alice())).collect();
    let mut first: Option<Arc<Observed>> = None;
    let mut shared = 0;
    for read in reads {
        let seen = observed(read.await.unwrap());
        shared += usize::from(
            first
                .as_ref()
                .is_some_and(|first| Arc::ptr_eq(first, &seen)),
        );
        first.get_or_insert(seen);
    }
    assert_eq!(shared, 2_999);
    for stranger in strangers {
        assert!(matches!(
            stranger.await.unwrap(),
            InstanceResponse::Refused(Refusal::Hidden)
        ));
    }
}

#[actix_web::test]
async fn an_unknown_instance_is_not_found_by_any_number_of_readers() {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let key = InstanceKey(Uuid::now_v7());
    let reads: Vec<_> = (0..1_000).map(|_| read(&runtime, key, alice())).collect();
    for read in reads {
        assert!(matches!(
            read.await.unwrap(),
            InstanceResponse::Refused(Refusal::Rejected(_))
        ));
    }
    while runtime.live_instances() > 0 {
        tokio::task::yield_now().await;
    }
}

/// Readers come and go while the instance leaves memory all the time: each is answered.
#[actix_web::test]
async fn a_passivated_instance_answers_all_its_readers() {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let key = start(&runtime).await;
    for round in 0..200 {
        let reads: Vec<_> = (0..20).map(|_| read(&runtime, key, alice())).collect();
        runtime.registry.sweep(std::time::Duration::ZERO);
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let more: Vec<_> = (0..20).map(|_| read(&runtime, key, alice())).collect();
        for read in reads.into_iter().chain(more) {
            observed(read.await.unwrap());
        }
    }
}
