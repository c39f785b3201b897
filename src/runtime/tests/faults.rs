//! A store that fails on demand: for lack of space, and in the middle of a sync. Checks what is
//! answered, what is visible meanwhile, and what exists after the next start.

use std::sync::Mutex;

use super::{brake::Brake, *};
use crate::{
    engine::record::CommandTag,
    journal::{MemoryStore, StoreError, StoreReader, WriteOp, disk_room::DiskRoom},
    runtime::{
        instance_request::Refusal,
        read_queue::{Read, ReadRequest},
    },
};

/// How commits fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They succeed.
    None,
    /// Nothing is written, and that is certain.
    NoRoom,
    /// The disk fails, and nothing was written.
    Before,
    /// The disk fails, and all was written.
    After,
}

/// A store whose commits wait at a brake, and then fail.
pub struct Faulty {
    pub store: MemoryStore,
    pub brake: Brake,
    pub fault: Arc<Mutex<Fault>>,
}

impl Store for Faulty {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        self.brake.pass();
        self.probe()?;
        let fault = *self.fault.lock().unwrap();
        if matches!(fault, Fault::None | Fault::After) {
            self.store.commit(batch)?;
        }
        match fault {
            Fault::None => Ok(()),
            _ => Err(StoreError::Failed("sync", "a fault of this test".into())),
        }
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        match *self.fault.lock().unwrap() {
            Fault::NoRoom => Err(StoreError::NoRoom("commit")),
            _ => Ok(()),
        }
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.store.reader()
    }
}

struct Bench {
    runtime: Arc<Runtime>,
    store: MemoryStore,
    brake: Brake,
    fault: Arc<Mutex<Fault>>,
}

impl Bench {
    async fn over(store: MemoryStore) -> Self {
        let (brake, fault) = (Brake::default(), Arc::new(Mutex::new(Fault::None)));
        let (runtime, _) = runtime_over(Box::new(Faulty {
            store: store.clone(),
            brake: brake.clone(),
            fault: fault.clone(),
        }))
        .await;
        Self {
            runtime,
            store,
            brake,
            fault,
        }
    }

    fn fails(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    async fn reaches(&self, room: DiskRoom) {
        let mut changes = self.runtime.journal.room().changes();
        changes.wait_for(|now| *now == room).await.unwrap();
    }

    /// Sends a request without waiting for its response.
    fn send(
        &self,
        key: InstanceKey,
        asked: InstanceRequest,
    ) -> oneshot::Receiver<InstanceResponse> {
        let (sender, receiver) = oneshot::channel();
        let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
        let caller = Some(alice());
        let envelope = Envelope {
            caller,
            request: asked,
            reply,
        };
        self.runtime.dispatch(key, envelope);
        receiver
    }
}

fn tagged(command: u128, first_name: &str) -> InstanceRequest {
    let InstanceRequest::Apply { command: run, .. } = save(first_name) else {
        panic!("a run is applied")
    };
    InstanceRequest::Apply {
        command: run,
        tag: Some(CommandTag {
            id: Uuid::from_u128(command),
            subject: "alice".into(),
            hash: 0,
        }),
        if_seq: None,
    }
}

fn name_in(observed: &Observed) -> Value {
    observed.whole.as_ref().unwrap().data["client"]["firstName"].clone()
}

fn is_full(answer: &InstanceResponse) -> bool {
    matches!(
        answer,
        InstanceResponse::Refused(Refusal::NoRoom(DiskRoom::Full))
    )
}

#[actix_web::test]
async fn without_disk_space_a_command_and_its_dependents_are_refused_and_never_visible() {
    let bench = Bench::over(MemoryStore::default()).await;
    let (key, other) = (start(&bench.runtime).await, start(&bench.runtime).await);
    let before = observe(&bench.runtime, key).await;
    bench.brake.pull();
    bench.fails(Fault::NoRoom);
    let first = bench.send(key, tagged(1, "Ada"));
    bench.brake.reached().await;
    // Decided on top of the first one; the last one reads the state after both.
    let second = bench.send(key, tagged(2, "Bob"));
    let looked = bench.send(key, InstanceRequest::Observe);
    let (sender, read) = oneshot::channel();
    bench.runtime.read(
        key,
        Read {
            caller: Some(alice()),
            question: ReadRequest::Observe { whole: true },
            reply: ReplyTo::to(move |answer| drop(sender.send(answer))),
        },
    );
    // One in the same queue that depends on none of them.
    let beside = bench.send(other, tagged(3, "Eve"));
    bench.brake.release();
    for answer in [first, second, beside] {
        assert!(is_full(&answer.await.unwrap()));
    }
    match looked.await.unwrap() {
        // It was either computed from the state before, or waited for the instance to be read
        // again.
        InstanceResponse::Observed(observed) => assert_eq!(observed.seq, before.seq),
        answer => assert!(is_full(&answer), "{answer:?}"),
    }
    let InstanceResponse::Observed(read) = read.await.unwrap() else {
        panic!("reading needs no room")
    };
    assert_eq!((read.seq, name_in(&read)), (before.seq, Value::Null));
    assert_eq!(observe(&bench.runtime, key).await.seq, before.seq);
    assert!(is_full(&bench.send(key, tagged(1, "Ada")).await.unwrap()));

    bench.fails(Fault::None);
    bench.reaches(DiskRoom::Enough).await;
    for (instance, id, name) in [(key, 1, "Ada"), (other, 3, "Eve")] {
        let first = bench.send(instance, tagged(id, name)).await.unwrap();
        applied(first);
        let again = bench.send(instance, tagged(id, name)).await.unwrap();
        assert!(matches!(again, InstanceResponse::Duplicate(_)), "{again:?}");
        reach_review(&bench.runtime, instance).await;
        assert_eq!(name_in(&*observe(&bench.runtime, instance).await), name);
    }
}

#[actix_web::test]
async fn a_start_without_disk_space_succeeds_later_under_the_same_id() {
    let bench = Bench::over(MemoryStore::default()).await;
    bench.fails(Fault::NoRoom);
    let request = start_of("onboarding", json!({}));
    let starts =
        |request: StartRequest| answer(|reply| bench.runtime.start_instance(request, reply));
    assert!(is_full(&starts(request.clone()).await));
    assert!(is_full(&starts(request.clone()).await), "refused at once");
    bench.fails(Fault::None);
    bench.reaches(DiskRoom::Enough).await;
    let started = applied(starts(request.clone()).await);
    let again = starts(request).await;
    assert!(
        matches!(again, InstanceResponse::Duplicate(same) if same.instance == started.instance)
    );
}

#[actix_web::test]
async fn automatic_work_continues_when_disk_space_is_free_again() {
    let bench = Bench::over(MemoryStore::default()).await;
    let key = start(&bench.runtime).await;
    bench.brake.pull();
    let saved = bench.send(key, save("Ada"));
    bench.brake.reached().await;
    // The save is written; what follows from it (the subprocess and its answers) is not.
    bench.fails(Fault::None);
    bench.brake.release();
    applied(saved.await.unwrap());
    bench.fails(Fault::NoRoom);
    // Whatever was tried meanwhile failed.
    tokio::task::yield_now().await;
    bench.fails(Fault::None);
    reach_review(&bench.runtime, key).await;
    bench.reaches(DiskRoom::Enough).await;
    assert_eq!(
        bench.runtime.messages_in_progress(),
        bench.runtime.journal.queued()
    );
}

#[actix_web::test]
async fn below_the_watermarks_first_starts_and_then_all_but_completing_commands_are_refused() {
    let bench = Bench::over(MemoryStore::default()).await;
    let (key, held) = (start(&bench.runtime).await, start(&bench.runtime).await);
    let room = bench.runtime.journal.room();
    let start = || async {
        let request = start_of("onboarding", json!({}));
        answer(|reply| bench.runtime.start_instance(request, reply)).await
    };
    room.measured(DiskRoom::Low, 1 << 20);
    let refused = start().await;
    assert!(matches!(
        refused,
        InstanceResponse::Refused(Refusal::NoRoom(DiskRoom::Low))
    ));
    // A subprocess belongs to an instance that has begun.
    applied(bench.send(key, save("Ada")).await.unwrap());
    reach_review(&bench.runtime, key).await;
    room.measured(DiskRoom::Critical, 1 << 10);
    let command = |command| InstanceRequest::Apply {
        command: Box::new(command),
        tag: None,
        if_seq: None,
    };
    let patch = command(Command::Patch {
        scope: None,
        data: json!({}),
    });
    let mut operator = alice();
    operator.operator = true;
    let patched = answer(|reply| {
        bench.runtime.dispatch(
            key,
            Envelope {
                caller: Some(operator.clone()),
                request: patch,
                reply,
            },
        )
    });
    assert!(matches!(
        patched.await,
        InstanceResponse::Refused(Refusal::NoRoom(DiskRoom::Critical))
    ));
    applied(bench.send(held, save("Bob")).await.unwrap());
    let ended = answer(|reply| {
        bench.runtime.dispatch(
            key,
            Envelope {
                caller: Some(operator),
                request: command(Command::Terminate),
                reply,
            },
        )
    });
    applied(ended.await);
    room.measured(DiskRoom::Enough, 1 << 30);
    applied(start().await);
    reach_review(&bench.runtime, held).await;
}

/// The disk fails while many commands are in progress: no answer says that nothing was changed or
/// that the command is done unless that is true, and each command, sent again, takes effect once.
async fn outcomes_are_reported_correctly(fault: Fault) {
    const COMMANDS: u128 = 100;
    let bench = Bench::over(MemoryStore::default()).await;
    let mut keys = Vec::new();
    for _ in 0..COMMANDS {
        keys.push(start(&bench.runtime).await);
    }
    bench.brake.pull();
    let first = bench.send(keys[0], tagged(0, "Ada"));
    bench.brake.reached().await;
    let mut answers = vec![first];
    for (id, key) in (1..COMMANDS).zip(&keys[1..]) {
        answers.push(bench.send(*key, tagged(id, "Ada")));
    }
    // On top of a command whose outcome is unknown by then.
    answers.push(bench.send(keys[0], tagged(0, "Ada")));
    while bench.runtime.journal.queued() < answers.len() {
        tokio::task::yield_now().await;
    }
    bench.fails(fault);
    bench.brake.release();
    for answer in answers {
        let answer = answer.await.unwrap();
        assert!(
            matches!(answer, InstanceResponse::Refused(Refusal::Unknown)),
            "{answer:?}"
        );
    }
    assert!(bench.runtime.journal.room().has_failed());
    let definitions = &bench.runtime.definitions;
    let changed = definitions.deprecate("default", "onboarding", 1).await;
    assert!(changed.is_err(), "nothing is written any more");
    bench.runtime.stop();
    bench.runtime.journal.shutdown();

    let next = Bench::over(bench.store.clone()).await;
    for (id, key) in (0..COMMANDS).zip(keys) {
        let seq = observe(&next.runtime, key).await.seq;
        let again = next.send(key, tagged(id, "Ada")).await.unwrap();
        match again {
            InstanceResponse::Duplicate(_) => assert_eq!(fault, Fault::After, "{id} at {seq}"),
            InstanceResponse::Applied(_) => {}
            other => panic!("{other:?}"),
        }
        reach_review(&next.runtime, key).await;
    }
}

#[actix_web::test]
async fn a_disk_that_fails_before_it_wrote_leaves_every_outcome_unknown() {
    outcomes_are_reported_correctly(Fault::Before).await;
}

#[actix_web::test]
async fn a_disk_that_fails_after_it_wrote_leaves_every_outcome_unknown() {
    outcomes_are_reported_correctly(Fault::After).await;
}
