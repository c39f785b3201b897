//! The server from a start to a crash: everything except sockets and threads, over a journal whose
//! steps the simulation makes one by one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use stepwire::{
    journal::{Journal, Steps, UnfinishedWork},
    limits::{Limits, Rates, WRITER_QUEUE},
    model::source::SourceFormat,
    runtime::{
        Runtime, clock::Clock, definitions::Deploy, files::Files, http_calls::HttpCallSettings,
    },
    session::{
        auth::token::{TokenSettings, Tokens},
        sessions::Sessions,
    },
};

use super::{processes::PROCESSES, settle::settled, store::SimulatedStore};
use crate::engine::sketch;

/// The number of steps after which a crashed server must have ended all its work.
const UNWINDING: usize = 10_000;
const SECRET: &str = "a secret for simulations only";

/// A running server.
pub struct Server {
    /// The factory of connections.
    pub sessions: Arc<Sessions>,
    /// Process time, which the simulation moves.
    pub clock: Clock,
    /// The pending work of the journal.
    pub steps: Steps,
    failed: Arc<AtomicBool>,
}

impl Server {
    /// Starts on the data of the store.
    pub async fn start(store: &SimulatedStore, clock: Clock) -> Self {
        let failed = Arc::new(AtomicBool::new(false));
        let fails = failed.clone();
        let on_fatal = Box::new(move |_| fails.store(true, Ordering::SeqCst));
        let (journal, mut steps) =
            Journal::stepped(Box::new(store.of_next_life()), WRITER_QUEUE.get(), on_fatal)
                .expect("the journal starts");
        let arbiter = actix_rt::Arbiter::current();
        let starting = Runtime::start(
            journal,
            Files::temporary(),
            HttpCallSettings::default(),
            clock.clone(),
            vec![arbiter],
            None,
        );
        let runtime = complete(&mut steps, starting).await;
        let runtime = runtime.expect("the runtime starts on what it has written");
        let deploys = runtime.clone();
        complete(&mut steps, async move { deploy(&deploys).await }).await;
        // Work of other threads during the start ends here, so that its order has no effect.
        loop {
            settled().await;
            if !step(&mut steps) {
                break;
            }
        }
        let tokens = Tokens::new(TokenSettings {
            secret: SECRET.to_owned(),
            issuer: None,
            audience: None,
        });
        let limits = Limits {
            rate_per_second: 0,
            anonymous: Rates::OFF,
            user: Rates::OFF,
            address: Rates::OFF,
            ..Limits::default()
        };
        let sessions = Sessions::new(
            runtime,
            Arc::new(tokens),
            limits,
            SECRET,
            limits.unread_memory(),
        );
        Self {
            sessions: Arc::new(sessions),
            clock,
            steps,
            failed,
        }
    }

    /// Whether a commit has failed, so that the process must end.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// Whether work waits for real time, such as a retry.
    pub fn waits(&self) -> bool {
        self.sessions.runtime.messages_in_progress() > 0
    }
}

impl Server {
    /// Completes the waiting work of a crashed server, so that its threads end.
    pub async fn unwind(mut self) {
        self.sessions.runtime.stop();
        for _ in 0..UNWINDING {
            settled().await;
            if !step(&mut self.steps) {
                return;
            }
        }
    }
}

async fn deploy(runtime: &Runtime) {
    for process in PROCESSES {
        let definition = sketch::definition(process);
        let source = serde_json::to_vec(&definition).expect("a definition is JSON");
        let deploy = Deploy {
            tenant: "default",
            source: &source,
            format: SourceFormat::Json,
            publish: true,
            by: "simulation",
            now: runtime.clock.now(),
        };
        let deployed = runtime.definitions.deploy_if_unknown(deploy).await;
        deployed.expect("the process deploys");
    }
}

/// Runs the journal's steps in order until `work` is done: starts and deploys compile on other
/// threads and have a fixed order.
async fn complete<T: 'static>(steps: &mut Steps, work: impl Future<Output = T> + 'static) -> T {
    let work = actix_rt::spawn(work);
    loop {
        settled().await;
        if work.is_finished() {
            return work.await.expect("it does not panic");
        }
        if !step(steps) {
            actix_rt::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

/// Runs one step of the journal; returns whether there was one.
fn step(steps: &mut Steps) -> bool {
    let unfinished = steps.unfinished();
    if unfinished.questions > 0 {
        steps.answer();
    } else if unfinished.releases > 0 {
        steps.release();
    } else {
        steps.write(usize::MAX);
    }
    unfinished != UnfinishedWork::default()
}
