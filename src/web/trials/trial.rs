//! One trial: a runtime in memory on a thread of its own, with a stopped clock, users by name, and
//! the published processes that the draft starts or calls.
//!
//! It is an ordinary runtime with ordinary sessions, so a trial behaves like production. Its tokens
//! are signed with a secret of its own, so they are valid nowhere else, and other tokens are not
//! valid here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_rt::Arbiter;
use actix_web::rt;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::{
    config::Config,
    journal::{DefinitionRow, InstanceFilter, InstanceRow, Journal, MemoryStore, StoreError},
    limits::{self, Limit, PotPlace},
    model::{ids::Time, problem::Problem, source::SourceFormat},
    runtime::{
        Runtime,
        clock::{Clock, real_now},
        definitions::{Deploy, DeployError, Deployed},
        files::Files,
        http_calls::{HttpCallSettings, Targets},
    },
    session::{
        auth::{
            principal::Principal,
            token::{DEFAULT_TENANT, Identity, TokenError, TokenSettings, Tokens},
        },
        sessions::Sessions,
    },
};

/// How long the consequences of a move of the clock may take.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running trial.
pub struct Trial {
    /// Its unguessable key.
    pub key: Uuid,
    /// The designer.
    pub owner: Principal,
    /// When it began.
    pub began: Instant,
    /// Its runtime, with its tokens.
    pub sessions: Arc<Sessions>,
    /// The processes that it runs: those of the draft first.
    pub definitions: Vec<TrialProcess>,
    /// Warnings about the draft.
    pub problems: Vec<Problem>,
    store: MemoryStore,
    seen: Mutex<Instant>,
    connections: AtomicUsize,
    ended: watch::Sender<bool>,
    arbiter: Arbiter,
    _place: PotPlace,
}

/// A process of a trial.
pub struct TrialProcess {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its published version; `None` for the draft.
    pub version: Option<u32>,
}

/// Why a trial did not begin.
#[derive(Debug)]
pub enum BeginError {
    /// Too many are running.
    Busy,
    /// The draft cannot be deployed.
    Deploy(DeployError),
    /// The system refused something, or the store failed.
    Failed(String),
}

impl From<DeployError> for BeginError {
    fn from(error: DeployError) -> Self {
        Self::Deploy(error)
    }
}

/// The consequences of a move of the clock are not complete yet.
#[derive(Clone, Copy, Debug)]
pub struct NotAtRest;

/// A connection of a trial, until it is dropped.
pub struct Connected(Arc<Trial>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
        self.0.touch();
    }
}

impl Trial {
    pub(super) async fn begin(
        real: &Sessions,
        config: &Config,
        owner: Principal,
        draft: (Vec<u8>, SourceFormat),
        place: PotPlace,
    ) -> Result<Self, BeginError> {
        let (key, secret) = (random()?, random()?.to_string());
        let store = MemoryStore::default();
        let arbiter = Arbiter::new();
        // If the request is cut off, the threads must not be left running.
        let guard = EndArbiter(Some(arbiter));
        let runtime = start_runtime(guard.arbiter(), store.clone(), config).await?;
        let deployed = deploy(&real.runtime, &runtime, &owner, &draft).await;
        let (definitions, problems) = match deployed {
            Ok(deployed) => deployed,
            Err(error) => {
                shut_down(&runtime);
                return Err(error);
            }
        };
        let tokens = Tokens::new(TokenSettings {
            secret: secret.clone(),
            issuer: None,
            audience: None,
        });
        let tokens = Arc::new(tokens);
        let memory = real.memory.clone();
        let sessions = Sessions::new(runtime, tokens, config.limits, &secret, memory);
        let now = Instant::now();
        Ok(Self {
            key,
            owner,
            began: now,
            sessions: Arc::new(sessions),
            definitions,
            problems,
            store,
            seen: Mutex::new(now),
            connections: AtomicUsize::new(0),
            ended: watch::Sender::new(false),
            arbiter: guard.keep(),
            _place: place,
        })
    }

    /// A token for a user of the trial.
    ///
    /// # Errors
    /// An invalid name.
    pub fn token(&self, user: &str, roles: Vec<String>) -> Result<String, TokenError> {
        let identity = Identity {
            subject: user.to_owned(),
            roles,
            ..Identity::anonymous(Uuid::nil())
        };
        self.sessions
            .tokens
            .mint(&identity, real_now(), limits::TRIAL_TIME.get())
    }

    /// Its owner has used it.
    pub fn touch(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Adds a connection of the trial.
    pub fn connected(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::SeqCst);
        Connected(self.clone())
    }

    /// A receiver that becomes `true` when the trial ends.
    pub fn ending(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }

    /// The process time of the trial.
    pub fn now(&self) -> Time {
        self.sessions.runtime.clock.now()
    }

    /// When the next timer or schedule is due.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn next_due(&self) -> Result<Option<Time>, StoreError> {
        self.sessions.runtime.next_due().await
    }

    /// The newest instances, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn newest_instances(&self, limit: usize) -> Result<Vec<InstanceRow>, StoreError> {
        let journal = &self.sessions.runtime.journal;
        let rows = journal
            .read(move |reader| reader.instances(&InstanceFilter::default(), None, limit))
            .await;
        rows.map_err(|_| StoreError::Stopped)?
    }

    /// Moves the clock to this time, and waits until everything due has happened.
    ///
    /// # Errors
    /// [`NotAtRest`] if that takes too long.
    pub async fn move_clock(&self, to: Time) -> Result<(), NotAtRest> {
        self.sessions.runtime.clock.set(to);
        self.rest().await
    }

    /// Waits until nothing is in progress.
    ///
    /// # Errors
    /// [`NotAtRest`] if that takes too long.
    pub async fn rest(&self) -> Result<(), NotAtRest> {
        let (sender, idle) = oneshot::channel();
        self.sessions.runtime.when_idle(move || {
            // Nobody waits any more.
            let _ = sender.send(());
        });
        match rt::time::timeout(IDLE_TIMEOUT, idle).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotAtRest),
        }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = self.connections.load(Ordering::SeqCst) == 0
            && now.saturating_duration_since(seen) >= limits::TRIAL_IDLE.get();
        let is_full = self.store.log_bytes() >= limits::TRIAL_BYTES.get();
        if is_full {
            Limit::TrialBytes.refused();
        }
        is_left || is_full || now.saturating_duration_since(self.began) >= limits::TRIAL_TIME.get()
    }

    /// Ends it: its connections are closed, its threads end, and its data are dropped.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
        shut_down(&self.sessions.runtime);
        self.arbiter.stop();
    }
}

/// Ends the threads of a trial that failed to begin.
struct EndArbiter(Option<Arbiter>);

impl EndArbiter {
    fn arbiter(&self) -> &Arbiter {
        self.0.as_ref().expect("it is kept once, by value")
    }

    fn keep(mut self) -> Arbiter {
        self.0.take().expect("it is kept once, by value")
    }
}

impl Drop for EndArbiter {
    fn drop(&mut self) {
        if let Some(arbiter) = &self.0 {
            arbiter.stop();
        }
    }
}

/// Starts the runtime on the trial's own thread, so that everything of it ends with the thread.
async fn start_runtime(
    arbiter: &Arbiter,
    store: MemoryStore,
    config: &Config,
) -> Result<Arc<Runtime>, BeginError> {
    let failed = |cause: &dyn std::fmt::Display| {
        BeginError::Failed(format!("expected to begin a trial, but: {cause}"))
    };
    let on_fatal = Box::new(|error| log::error!("a trial's store failed: {error}"));
    let journal = Journal::start(Box::new(store), limits::WRITER_QUEUE.get(), on_fatal)
        .map_err(|error| failed(&error))?;
    // No call leaves a trial, and it has no secret of the server.
    let nowhere = Targets::parse(&[]).map_err(|error| failed(&error))?;
    let calls = HttpCallSettings::new(nowhere, BTreeMap::new(), Vec::new());
    let program = config.script_program.clone();
    let (sender, started) = oneshot::channel();
    arbiter.spawn(async move {
        let here = vec![Arbiter::current()];
        let clock = Clock::stopped_at(real_now());
        let runtime = Runtime::start(
            journal,
            Files::temporary(),
            calls,
            clock,
            here,
            Some(&program),
        );
        // The receiver is gone if the request was cut off.
        let _ = sender.send(runtime.await);
    });
    match started.await {
        Ok(Ok(runtime)) => Ok(runtime),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(failed(&"its thread ended")),
    }
}

/// An unguessable id.
fn random() -> Result<Uuid, BeginError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| BeginError::Failed(error.to_string()))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// Waits for threads, so it runs on another one.
fn shut_down(runtime: &Arc<Runtime>) {
    runtime.stop();
    let journal = runtime.journal.clone();
    drop(rt::task::spawn_blocking(move || journal.shutdown()));
}

/// Deploys the draft, then the published processes that it starts or calls, and so on.
async fn deploy(
    real: &Arc<Runtime>,
    runtime: &Arc<Runtime>,
    owner: &Principal,
    (source, format): &(Vec<u8>, SourceFormat),
) -> Result<(Vec<TrialProcess>, Vec<Problem>), BeginError> {
    let publish = async |source: &[u8], format: SourceFormat| {
        let deploy = Deploy {
            tenant: DEFAULT_TENANT,
            source,
            format,
            publish: true,
            by: &owner.caller.subject,
            now: runtime.clock.now(),
        };
        runtime.definitions.deploy(deploy).await
    };
    let mut draft = publish(source, *format).await?;
    let mut tried: Vec<TrialProcess> = draft.iter().map(|one| tried_of(&one.row, true)).collect();
    let mut waiting: Vec<String> = tried.iter().map(|one| one.id.clone()).collect();
    let mut visited = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !visited.insert(id.clone()) {
            continue;
        }
        if let Some(process) = runtime.definitions.published(DEFAULT_TENANT, &id) {
            waiting.extend(process.started_processes());
            continue;
        }
        let found = real.definitions.published(&owner.caller.tenant, &id);
        let Some(found) = found.filter(|_| tried.len() < limits::TRIAL_PROCESSES) else {
            continue;
        };
        let source = real.definitions.source(&found.row).await?;
        publish(&source, found.row.format.into()).await?;
        tried.push(tried_of(&found.row, false));
        waiting.extend(found.started_processes());
    }
    if tried.len() > draft.len() {
        // A file of a published process may also contain one of the draft's processes.
        draft = publish(source, *format).await?;
    }
    let problems = draft
        .into_iter()
        .flat_map(|Deployed { problems, .. }| problems);
    let problems = problems.collect();
    runtime
        .begin_schedules()
        .await
        .map_err(|error| BeginError::Failed(error.to_string()))?;
    Ok((tried, problems))
}

fn tried_of(row: &DefinitionRow, is_draft: bool) -> TrialProcess {
    TrialProcess {
        id: row.id.clone(),
        name: row.name.clone(),
        version: (!is_draft).then_some(row.version),
    }
}

/// Waits for the end of a trial; without a trial forever.
pub async fn ended(ending: &mut Option<watch::Receiver<bool>>) {
    match ending {
        // A trial that no longer exists has ended, too.
        Some(ending) => drop(ending.wait_for(|ended| *ended).await),
        None => std::future::pending().await,
    }
}
