//! A store and a clock that outlive their servers, and functions to read what schedules have done.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use crate::{
    journal::{
        InstanceFilter, Journal, MemoryStore, ScheduleKey, ScheduleRow, Store, StoreError,
        StoreReader, WriteOp,
    },
    limits,
    model::{
        ids::{InstanceKey, Time},
        source::SourceFormat,
    },
    runtime::{
        Runtime,
        clock::Clock,
        definitions::{Deploy, DeployError},
        files::Files,
        http_calls::HttpCallSettings,
        instance_request::{Envelope, InstanceRequest, InstanceResponse, Observed, ReplyTo},
    },
};

/// Store and clock.
#[derive(Clone)]
pub struct World {
    pub store: MemoryStore,
    pub clock: Clock,
}

/// A store that accepts a number of writes and then fails; accepted writes are durable.
struct Cut {
    store: MemoryStore,
    left: usize,
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

/// A time of 2026-01-01, or of another day of 2026: `05:00`, `02-03T05:00`.
pub fn at(text: &str) -> Time {
    let day = if text.contains('T') { "" } else { "01-01T" };
    let seconds = if text.matches(':').count() == 1 {
        ":00"
    } else {
        ""
    };
    let text = format!("2026-{day}{text}{seconds}Z");
    Time(
        text.parse::<jiff::Timestamp>()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .as_millisecond(),
    )
}

/// A time as [`at`] reads it.
pub fn written(time: Time) -> String {
    time.to_string()
        .replace("2026-", "")
        .replace("01-01T", "")
        .replace(":00.000Z", "")
        .replace(".000Z", "")
}

/// Process `p`: each schedule starts it at a start event of its own, `s0`, `s1`, …; its user task
/// `instance_request` waits.
pub fn process(schedules: &[Value]) -> Value {
    of_nodes(json!({"id": "ask", "type": "userTask"}), schedules)
}

/// The same without the user task.
pub fn short_process(schedules: &[Value]) -> Value {
    of_nodes(json!({"id": "ask", "type": "task"}), schedules)
}

fn of_nodes(ask: Value, schedules: &[Value]) -> Value {
    let starts = schedules.iter().enumerate();
    let starts = starts.map(
        |(n, schedule)| json!({"id": format!("s{n}"), "type": "startEvent", "schedule": schedule}),
    );
    let nodes: Vec<Value> = starts
        .chain([ask, json!({"id": "end", "type": "endEvent"})])
        .collect();
    let flow =
        |n: usize| json!({"id": format!("f{n}"), "source": format!("s{n}"), "target": "ask"});
    let last = json!({"id": "last", "source": "ask", "target": "end"});
    let flows: Vec<Value> = (0..schedules.len()).map(flow).chain([last]).collect();
    json!({"id": "p", "nodes": nodes, "flows": flows})
}

impl World {
    /// A store at midnight in which this process is deployed.
    pub fn with(process: &Value) -> Self {
        let world = Self {
            store: MemoryStore::default(),
            clock: Clock::stopped_at(at("00:00")),
        };
        world.live(async |runtime| deploy(&runtime, process).await.unwrap());
        world
    }

    /// One run of a server.
    pub fn live<T>(&self, play: impl AsyncFnOnce(Arc<Runtime>) -> T) -> T {
        self.live_for(usize::MAX, play).expect("nothing is cut off")
    }

    /// One run of a server until the number of writes is reached. `None` when it was cut off.
    pub fn live_for<T>(
        &self,
        writes: usize,
        play: impl AsyncFnOnce(Arc<Runtime>) -> T,
    ) -> Option<T> {
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
                played = begun(&runtime, play) => Some(played),
                () = fatal.notified() => None,
            };
            runtime.stop();
            arbiter.stop();
            journal.shutdown();
            played
        })
    }

    /// The row of the schedule `s0`.
    pub fn row(&self) -> ScheduleRow {
        let rows = self.store.schedules().unwrap();
        rows.into_iter()
            .find(|row| row.key == key("s0"))
            .expect("there is a schedule")
    }
}

async fn begun<T>(runtime: &Arc<Runtime>, play: impl AsyncFnOnce(Arc<Runtime>) -> T) -> T {
    match runtime.begin_schedules().await {
        Ok(()) => {
            idle(runtime).await;
            play(runtime.clone()).await
        }
        // Cut off.
        Err(_) => std::future::pending().await,
    }
}

/// The schedule of a start event of `p`.
pub fn key(node: &str) -> ScheduleKey {
    ScheduleKey {
        tenant: "default".into(),
        process: "p".into(),
        node: node.into(),
    }
}

pub async fn deploy(runtime: &Runtime, process: &Value) -> Result<u32, DeployError> {
    let source = process.to_string();
    let (source, format) = (source.as_bytes(), SourceFormat::Json);
    let deploy = Deploy {
        tenant: "default",
        source,
        format,
        publish: true,
        by: "test",
        now: Time(0),
    };
    runtime
        .definitions
        .deploy(deploy)
        .await
        .map(|deployed| deployed[0].row.version)
}

pub async fn idle(runtime: &Arc<Runtime>) {
    let (idle, waits) = oneshot::channel();
    runtime.when_idle(move || {
        // The receiver is gone when the server was cut off.
        let _ = idle.send(());
    });
    waits.await.unwrap();
}

/// Moves the clock, and waits until nothing is in progress.
pub async fn wait_until(runtime: &Arc<Runtime>, time: &str) {
    runtime.clock.set(at(time));
    idle(runtime).await;
}

pub async fn look(runtime: &Arc<Runtime>, key: InstanceKey) -> Arc<Observed> {
    let (sender, answer) = oneshot::channel();
    let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
    runtime.dispatch(
        key,
        Envelope {
            caller: None,
            request: InstanceRequest::Observe,
            reply,
        },
    );
    match answer.await.unwrap() {
        InstanceResponse::Observed(observed) => observed,
        other => panic!("{other:?}"),
    }
}

/// All instances, in the order of the times they are for.
pub async fn instances(runtime: &Arc<Runtime>) -> Vec<Arc<Observed>> {
    let rows = runtime
        .journal
        .read(|reader| {
            let of = InstanceFilter {
                tenant: Some("default".into()),
                ..InstanceFilter::default()
            };
            reader.instances(&of, None, usize::MAX)
        })
        .await;
    let mut found = Vec::new();
    for row in rows.unwrap().unwrap() {
        found.push(look(runtime, row.key).await);
    }
    found.sort_by_key(|observed| observed.head().scheduled_for);
    found
}

/// The times for which there are instances.
pub async fn started_times(runtime: &Arc<Runtime>) -> Vec<String> {
    instances(runtime)
        .await
        .iter()
        .filter_map(|observed| observed.head().scheduled_for)
        .map(written)
        .collect()
}
