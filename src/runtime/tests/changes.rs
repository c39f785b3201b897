//! Changes beside instances by requests that are cut off at every point in turn: server and store
//! agree, no number is given twice, no content is replaced.
//!
//! Each kind of command is dropped after 0, 1, 2, … polls, and while its commit is in progress,
//! which is the longest window. The table alone is tested in `durable`.

use std::{collections::BTreeMap, future::Future, pin::pin, sync::Arc, task::Poll};

use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    brake::{Brake, Braked},
    cuts::idle,
    published,
};
use crate::{
    journal::{Journal, MemoryStore, ScheduleKey, Store, StoreReader, UserRow, WriteOp},
    limits,
    model::{ids::Time, source::SourceFormat},
    runtime::{
        Runtime,
        clock::Clock,
        definitions::{Deploy, DeployError, Deployed},
        files::Files,
        http_calls::HttpCallSettings,
        users::{NewUser, UserUpdate},
    },
};

/// Process `p` with a schedule; each `n` has another content.
fn content(n: u32) -> Value {
    json!({"id": "p", "name": format!("content {n}"),
        "nodes": [{"id": "s", "type": "startEvent", "schedule": {"when": {"cycle": "0 * * * *"}}}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f", "source": "s", "target": "end"}]})
}

async fn deploy(runtime: &Runtime, n: u32, publish: bool) -> Result<Vec<Deployed>, DeployError> {
    let source = content(n).to_string();
    let (source, format) = (source.as_bytes(), SourceFormat::Json);
    runtime
        .definitions
        .deploy(Deploy {
            publish,
            ..published(source, format)
        })
        .await
}

fn key() -> ScheduleKey {
    ScheduleKey {
        tenant: "default".into(),
        process: "p".into(),
        node: "s".into(),
    }
}

/// Every kind of change that a request can ask for. Before it there are versions 1 (deprecated), 2
/// (published) and 3 (draft).
#[derive(Clone, Copy, Debug)]
enum Change {
    DeployDraft,
    DeployPublished,
    DeploySame,
    DeployIfUnknown,
    Publish,
    Deprecate,
    Delete,
    Disable,
    Enable,
    SwitchSchedule,
    RunSchedule,
    AddUser,
    SetPassword,
    SetRoles,
    Update,
    Revoke,
    RemoveUser,
}

const ALL: [Change; 17] = {
    use Change::*;
    [
        DeployDraft,
        DeployPublished,
        DeploySame,
        DeployIfUnknown,
        Publish,
        Deprecate,
        Delete,
        Disable,
        Enable,
        SwitchSchedule,
        RunSchedule,
        AddUser,
        SetPassword,
        SetRoles,
        Update,
        Revoke,
        RemoveUser,
    ]
};

impl Change {
    async fn send(self, runtime: &Arc<Runtime>) {
        let (definitions, users) = (&runtime.definitions, &runtime.users);
        let roles = ["clerk".to_owned()];
        match self {
            Self::DeployDraft => drop(deploy(runtime, 4, false).await.unwrap()),
            Self::DeployPublished => drop(deploy(runtime, 4, true).await.unwrap()),
            Self::DeploySame => drop(deploy(runtime, 1, true).await.unwrap()),
            Self::DeployIfUnknown => {
                let source = content(1).to_string().replace("\"p\"", "\"q\"");
                let (source, format) = (source.as_bytes(), SourceFormat::Json);
                let deploy = published(source, format);
                definitions.deploy_if_unknown(deploy).await.unwrap();
            }
            Self::Publish => drop(definitions.publish("default", "p", 3).await.unwrap()),
            Self::Deprecate => drop(definitions.deprecate("default", "p", 2).await.unwrap()),
            Self::Delete => definitions.delete("default", "p", 1).await.unwrap(),
            Self::Disable => drop(definitions.switch("default", "p", false).await.unwrap()),
            Self::Enable => drop(definitions.switch("default", "p", true).await.unwrap()),
            Self::SwitchSchedule => drop(runtime.schedules.switch(&key(), false).await.unwrap()),
            Self::RunSchedule => drop(
                runtime
                    .run_schedule(&key(), Uuid::from_u128(7))
                    .await
                    .unwrap(),
            ),
            Self::AddUser => {
                let user = NewUser {
                    tenant: "default",
                    name: "bob",
                    password: "secret",
                    roles: &roles,
                };
                users.add(user, Time(5)).await.unwrap();
            }
            Self::SetPassword => users
                .set_password("default", "ada", "other", Time(5))
                .await
                .unwrap(),
            Self::SetRoles => users
                .set_roles("default", "ada", &roles, Time(5))
                .await
                .unwrap(),
            Self::Update => {
                let update = UserUpdate {
                    roles: Some(&roles),
                    password: Some("other"),
                };
                users
                    .update("default", "ada", update, Time(5))
                    .await
                    .unwrap();
            }
            Self::Revoke => users.revoke("default", "ada", Time(5)).await.unwrap(),
            Self::RemoveUser => users.remove("default", "ada", Time(5)).await.unwrap(),
        }
    }
}

/// What a server shows of all of this, as text.
#[derive(Debug, PartialEq)]
struct Shown {
    versions: BTreeMap<(String, u32), String>,
    schedules: Vec<String>,
    users: Vec<String>,
}

fn shown(runtime: &Runtime) -> Shown {
    let versions = runtime.definitions.all("default").into_iter().map(|one| {
        (
            (one.row.id.clone(), one.row.version),
            format!(
                "{:?} {} {:?}",
                one.row.state, one.row.revision, one.row.name
            ),
        )
    });
    let schedules = runtime.schedules.list("default", None).into_iter();
    let users = runtime.users.all("default").into_iter();
    Shown {
        versions: versions.collect(),
        schedules: schedules
            .map(|listed| format!("{:?} of {:?}", listed.row, listed.process))
            .collect(),
        users: users
            .map(|row| format!("{row:?} {:?} {:?}", row.password_hash, row.revoked_at))
            .collect(),
    }
}

struct Life {
    runtime: Arc<Runtime>,
    journal: Journal,
    arbiter: actix_rt::Arbiter,
}

impl Life {
    async fn begin(store: &MemoryStore, brake: &Brake) -> Self {
        let braked = Box::new(Braked {
            store: store.clone(),
            brake: brake.clone(),
        });
        let journal = Journal::start(
            braked,
            limits::WRITER_QUEUE.get(),
            Box::new(|error| panic!("{error}")),
        )
        .unwrap();
        let arbiter = actix_rt::Arbiter::new();
        let (clock, http_calls) = (Clock::stopped_at(Time(0)), HttpCallSettings::default());
        let runtime = Runtime::start(
            journal.clone(),
            Files::temporary(),
            http_calls,
            clock,
            vec![arbiter.handle()],
            None,
        )
        .await
        .unwrap();
        Self {
            runtime,
            journal,
            arbiter,
        }
    }

    /// Waits until nothing is in progress.
    async fn settle(&self) {
        for _ in 0..2 {
            let (passed, wait) = oneshot::channel();
            self.journal
                .reserve()
                .unwrap()
                .release(Box::new(move |_| passed.send(()).unwrap()));
            wait.await.unwrap();
            idle(&self.runtime).await;
        }
    }

    fn end(self) {
        self.runtime.stop();
        self.arbiter.stop();
        self.journal.shutdown();
    }
}

/// Polls a future a number of times, or until `over`; returns whether it completed.
async fn cut_off(
    polls: usize,
    future: impl Future<Output = ()>,
    over: impl Future<Output = ()>,
) -> Option<bool> {
    let (mut future, mut over, mut left) = (pin!(future), pin!(over), polls);
    std::future::poll_fn(|context| {
        if over.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let Some(rest) = left.checked_sub(1) else {
            return Poll::Ready(Some(false));
        };
        left = rest;
        match future.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(true)),
            Poll::Pending if left == 0 => Poll::Ready(Some(false)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A server with three versions, a schedule and a user.
async fn set_up(change: Change) -> (Life, MemoryStore, Brake) {
    let (mut store, brake) = (MemoryStore::default(), Brake::default());
    let ada = UserRow {
        tenant: "default".into(),
        name: "ada".into(),
        password_hash: Some("never looked at".into()),
        roles: Vec::new(),
        revoked_at: None,
        created_at: Time(0),
    };
    store.commit(&[WriteOp::User(ada)]).unwrap();
    let life = Life::begin(&store, &brake).await;
    life.runtime.begin_schedules().await.unwrap();
    for n in 1..=3 {
        deploy(&life.runtime, n, n < 3).await.unwrap();
    }
    if matches!(change, Change::Enable) {
        life.runtime
            .definitions
            .switch("default", "p", false)
            .await
            .unwrap();
    }
    life.settle().await;
    (life, store, brake)
}

/// Cuts a change off; `None` if its commit was reached, otherwise whether it completed.
async fn check_cut(change: Change, polls: usize, brakes: bool) -> Option<bool> {
    let (life, store, brake) = set_up(change).await;
    let contents: Vec<_> = store.definitions().unwrap();
    if brakes {
        brake.pull();
    }
    let ended = cut_off(polls, change.send(&life.runtime), brake.reached()).await;
    brake.release();
    life.settle().await;

    let cut = format!("{change:?} cut off after {polls} polls");
    let next = deploy(&life.runtime, 99, true).await.unwrap().remove(0);
    let stored = store.definitions().unwrap();
    let numbers: Vec<u32> = stored
        .iter()
        .filter(|row| row.id == "p")
        .map(|row| row.version)
        .collect();
    assert_eq!(
        numbers,
        (1..=next.row.version).collect::<Vec<_>>(),
        "{cut}: numbers are dense"
    );
    for before in contents {
        let after = stored
            .iter()
            .find(|row| (&row.id, row.version) == (&before.id, before.version))
            .unwrap();
        assert_eq!(
            (&after.source, &after.revision),
            (&before.source, &before.revision),
            "{cut}: contents stay"
        );
    }
    life.settle().await;
    let seen = shown(&life.runtime);
    life.end();
    let again = Life::begin(&store, &Brake::default()).await;
    assert_eq!(
        shown(&again.runtime),
        seen,
        "{cut}: a server over the same store shows the same"
    );
    again.end();
    ended
}

#[test]
fn a_cut_at_any_point_of_a_change_leaves_server_and_store_consistent() {
    actix_rt::System::new().block_on(async {
        for change in ALL {
            let mut whole = false;
            for polls in 0..64 {
                let committing = check_cut(change, polls, true).await.is_none();
                whole = check_cut(change, polls, false).await == Some(true);
                if committing && whole {
                    break;
                }
            }
            assert!(whole, "{change:?} is carried out in the end");
        }
    });
}
