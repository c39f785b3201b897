//! A tree of instances comes to the same end wherever the server is cut off: after every single
//! write, in turn.
//!
//! Time is virtual and nothing sleeps. The client resends: in each run of the server it sends
//! everything again, under the same ids. The expected state is that of a run that is not cut off
//! (`standing`); the processes are in `processes`. Starts that are refused: `refusal`.

mod messages;
mod processes;
mod refusal;
mod standing;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{alice, answer, published};
use crate::{
    engine::{
        Command,
        command::RunAction,
        record::{CommandTag, Status},
    },
    journal::{Journal, MemoryStore, Store, StoreError, StoreReader, WriteOp},
    limits,
    model::{
        ids::{InstanceKey, Time},
        source::SourceFormat,
    },
    runtime::{
        Runtime, StartRequest,
        clock::Clock,
        files::Files,
        http_calls::HttpCallSettings,
        instance_request::{Envelope, InstanceRequest, InstanceResponse, Refusal},
    },
};
use standing::TreeOutcome;

/// A time at which every timer of the tree has fired.
const LATER: Time = Time(60_000);

/// A store that accepts a number of writes and then fails. Accepted writes are durable, even those
/// of a batch that it refuses.
pub(super) struct Cut {
    pub store: MemoryStore,
    pub left: usize,
}

impl Store for Cut {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        for op in batch {
            self.left = self.left.checked_sub(1).ok_or(StoreError::Panicked)?;
            self.store.commit(std::slice::from_ref(op))?;
        }
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.store.reader()
    }
}

/// The client's last command.
#[derive(Clone, Copy)]
enum Last {
    Confirm,
    Terminate,
}

/// What outlives the server.
#[derive(Clone)]
struct World {
    store: MemoryStore,
    clock: Clock,
    last: Last,
}

impl World {
    /// A store in which these processes are deployed.
    fn new(last: Last, sources: &[Value]) -> Self {
        let world = Self {
            store: MemoryStore::default(),
            clock: Clock::stopped_at(Time(0)),
            last,
        };
        world.deploy(sources);
        world
    }

    fn deploy(&self, sources: &[Value]) {
        self.live(usize::MAX, async |runtime| {
            for source in sources {
                let (source, format) = (source.to_string(), SourceFormat::Json);
                let deploy = published(source.as_bytes(), format);
                runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
            }
        });
    }

    /// One run of the server, until `play` ends or a write is refused. `None` when it was cut off.
    fn live<T>(&self, writes: usize, play: impl AsyncFnOnce(Arc<Runtime>) -> T) -> Option<T> {
        let store = Box::new(Cut {
            store: self.store.clone(),
            left: writes,
        });
        let clock = self.clock.clone();
        actix_rt::System::new().block_on(async move {
            let fatal = Arc::new(Notify::new());
            let on_fatal = Box::new({
                let fatal = fatal.clone();
                move |_| fatal.notify_one()
            });
            let journal = Journal::start(store, limits::WRITER_QUEUE.get(), on_fatal).unwrap();
            let arbiter = actix_rt::Arbiter::new();
            let runtime = Runtime::start(
                journal.clone(),
                Files::temporary(),
                HttpCallSettings::default(),
                clock,
                vec![arbiter.handle()],
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

    /// The client's commands, and the state of the tree afterwards.
    fn play(&self, writes: usize) -> Option<TreeOutcome> {
        self.live(writes, async |runtime| {
            let root = start(&runtime).await;
            idle(&runtime).await;
            runtime.clock.set(LATER);
            idle(&runtime).await;
            let last = match self.last {
                Last::Confirm => Command::Run(RunAction {
                    action: "confirm".into(),
                    element: None,
                    data: json!({}),
                    file: None,
                }),
                Last::Terminate => Command::Terminate,
            };
            give(&runtime, root, last).await;
            idle(&runtime).await;
            standing::of(&runtime, root).await
        })
    }
}

pub(super) async fn idle(runtime: &Arc<Runtime>) {
    let (idle, waits) = tokio::sync::oneshot::channel();
    runtime.when_idle(move || {
        // The receiver is gone when the server was cut off.
        let _ = idle.send(());
    });
    waits.await.unwrap();
}

async fn start(runtime: &Arc<Runtime>) -> InstanceKey {
    let request = StartRequest {
        test: false,
        process: Some("root".into()),
        data: json!({"people": ["Ada", "Bob"]}),
        business_key: None,
        start_condition: None,
        inherit: None,
        caller: alice(),
        anonymous: false,
        stranger: Default::default(),
        command: Uuid::from_u128(1),
        hash: 0,
    };
    done(answer(|reply| runtime.start_instance(request, reply)).await).await
}

async fn give(runtime: &Arc<Runtime>, root: InstanceKey, command: Command) {
    let tag = Some(CommandTag {
        id: Uuid::from_u128(2),
        subject: "alice".into(),
        hash: 0,
    });
    let request = InstanceRequest::Apply {
        command: Box::new(command),
        tag,
        if_seq: None,
    };
    done(
        answer(|reply| {
            runtime.dispatch(
                root,
                Envelope {
                    caller: Some(alice()),
                    request,
                    reply,
                },
            )
        })
        .await,
    )
    .await;
}

/// A client without an answer waits: the server was cut off.
async fn done(answer: InstanceResponse) -> InstanceKey {
    match answer {
        InstanceResponse::Applied(committed) | InstanceResponse::Duplicate(committed) => {
            committed.instance
        }
        InstanceResponse::Refused(Refusal::Internal | Refusal::Unknown) => {
            std::future::pending().await
        }
        other => panic!("{other:?}"),
    }
}

fn check(last: Last) -> TreeOutcome {
    let whole = World::new(last, &processes::all())
        .play(usize::MAX)
        .unwrap();
    let cut_off = (0..).find(|&writes| {
        let world = World::new(last, &processes::all());
        let first = world.play(writes);
        let end = world.play(usize::MAX).unwrap();
        assert_eq!(end, whole, "cut off after {writes} writes");
        assert!(
            world.store.outbox().unwrap().is_empty(),
            "letters are left after a cut after {writes} writes"
        );
        first.is_some()
    });
    assert!(cut_off.unwrap() > 40, "the tree takes some writes");
    whole
}

#[test]
fn a_finishing_tree_survives_a_cut_at_every_commit() {
    let root = check(Last::Confirm);
    let grade = |name: &str| json!({"name": name, "grade": format!("A for {name}")});
    let data = json!({"people": ["Ada", "Bob"], "grades": [grade("Ada"), grade("Bob")], "diary": {"entries": 1},
        "checked": {"of": ["Ada", "Bob"]}});
    assert_eq!(root.data, data);
    assert_eq!(
        root.view,
        json!({"begun": true, "diary": "opened", "checking": true, "declined": true})
    );
    let rated = |name: &str| {
        vec![
            json!({"rates": name}),
            json!({"rated": name, "grade": format!("A for {name}")}),
        ]
    };
    let pushed = [
        vec![json!({"begun": true}), json!({"declined": true})],
        vec![json!({"checking": true})],
        vec![json!({"diary": "opened"})],
        rated("Ada"),
        rated("Bob"),
    ];
    assert_eq!(root.pushed, pushed);
    let statuses = [
        ("root", Status::Finished),
        ("credit", Status::Failed),
        ("diary", Status::Finished),
        ("person", Status::Finished),
        ("grade", Status::Finished),
        ("person", Status::Finished),
        ("grade", Status::Finished),
        ("guard", Status::Started),
        ("post", Status::Started),
    ];
    assert_eq!(root.statuses(), statuses);
}

#[test]
fn a_terminated_tree_survives_a_cut_at_every_commit() {
    let root = check(Last::Terminate);
    let statuses = root.statuses();
    for process in ["root", "guard", "post"] {
        assert!(
            statuses.contains(&(process, Status::Terminated)),
            "{statuses:?}"
        );
    }
    assert!(
        statuses.iter().all(|(_, status)| !status.is_live()),
        "{statuses:?}"
    );
}
