//! The start of the runtime on an open journal: the tables that it keeps in memory, its threads, and
//! its tasks.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use actix_rt::ArbiterHandle;
use uuid::Uuid;

use super::{
    Runtime,
    audit::AuditLog,
    clock::{self, Clock},
    correlations::Correlations,
    definitions::{Definitions, StoredCatalog},
    drafts::{self, Drafts},
    files::Files,
    fresh_keys::{self, FreshKeys},
    http_calls::{self, HttpCallSettings, HttpCalls},
    late_scripts::LateScripts,
    lists::Lists,
    live_memory::LiveMemoryTotal,
    long_steps::LongSteps,
    outbox::{self, Outbox, StoredDelivery},
    past::Folds,
    presence::Presence,
    registry::Registry,
    step_threads::StepThreads,
    sweep,
    timers::{self, Timers},
    trees::Trees,
    users::Users,
};
use crate::{
    expression::worker,
    journal::{Damaged, DraftRow, Journal, KeptMessageRow, StoreError, UserRow},
    model::ids::{InstanceKey, Time},
    thread_priority::leave_a_core,
};

/// Threads for steps with scripts that are not known to take long.
pub(super) const SCRIPT_THREADS: usize = 2;

/// The tables of the store that are kept in memory.
struct StoredTables {
    catalog: StoredCatalog,
    users: Vec<UserRow>,
    drafts: Vec<DraftRow>,
    outbox: Vec<StoredDelivery>,
    kept_messages: Vec<KeptMessageRow>,
    log: Uuid,
    newest: Option<Time>,
    /// The keys of instances from the bound on.
    keys: Vec<InstanceKey>,
}

impl StoredTables {
    async fn read(
        journal: &Journal,
        bound: InstanceKey,
        damaged: Damaged,
    ) -> Result<Self, StoreError> {
        let read = journal.read(move |reader| {
            Ok(Self {
                keys: reader.instance_keys(bound, fresh_keys::REMEMBERED)?,
                catalog: StoredCatalog::read(reader, &damaged)?,
                users: reader.users()?,
                drafts: drafts::stored(reader)?,
                outbox: outbox::stored(reader)?,
                kept_messages: reader.kept_messages()?,
                log: reader.log_incarnation()?,
                newest: reader.newest_time()?,
            })
        });
        read.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Runtime {
    /// Starts the system on an open journal and its files: definitions, undelivered messages and
    /// due timers continue where they were. Scripts run in processes of `script_program`, see
    /// [`expression::worker`](crate::expression::worker).
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn start(
        journal: Journal,
        files: Files,
        http_calls: HttpCallSettings,
        clock: Clock,
        arbiters: Vec<ArbiterHandle>,
        script_program: Option<&PathBuf>,
    ) -> Result<Arc<Self>, StoreError> {
        let bound = fresh_keys::bound_at(clock::real_now());
        let damaged = Damaged::default();
        let stored = StoredTables::read(&journal, bound, damaged.clone()).await?;
        if let Some(newest) = stored.newest {
            clock.continue_after(newest);
        }
        let late_scripts = Arc::<LateScripts>::default();
        let script_program = script_program.cloned();
        let prepare = move || {
            // Before a script process is started.
            leave_a_core();
            if let Some(program) = script_program.clone() {
                worker::give_this_thread(program);
            }
        };
        let scripts = StepThreads::start("scripts", SCRIPT_THREADS, &late_scripts, prepare.clone());
        let scripts = Arc::new(scripts.map_err(no_thread)?);
        let long_steps = LongSteps::of_cores(arbiters.len(), &late_scripts, prepare);
        let (definitions, schedules) = Definitions::of(
            journal.clone(),
            stored.catalog,
            clock.clone(),
            http_calls.clone(),
            scripts.clone(),
        );
        let repaired = definitions.repair().await;
        repaired.map_err(|_| StoreError::Panicked)?;
        let services = actix_rt::Arbiter::current();
        let activity = clock.is_virtual().then(Arc::default);
        let users = Users::load(journal.clone(), stored.users, &damaged);
        let lists = Lists::default();
        definitions.announce_to(&lists);
        users.announce_to(&lists);
        let runtime = Arc::new(Self {
            users,
            audit: AuditLog::of(journal.clone()),
            drafts: Drafts::load(journal.clone(), stored.drafts),
            presence: Presence::default(),
            journal,
            clock,
            definitions,
            schedules,
            files,
            damaged,
            hub: Arc::default(),
            lists,
            log: stored.log,
            registry: Registry::default(),
            live_memory: LiveMemoryTotal::default(),
            folds: Folds::default(),
            long_steps: long_steps.map_err(no_thread)?,
            fresh: FreshKeys::after(bound, stored.keys),
            outbox: Outbox::default(),
            correlations: Correlations::load(stored.kept_messages),
            trees: Trees::default(),
            timers: Timers::default(),
            http_calls: HttpCalls::new(http_calls),
            scripts,
            late_scripts,
            arbiters,
            services,
            idle: OnceLock::new(),
            tasks: OnceLock::new(),
            retaining: OnceLock::new(),
            spans: OnceLock::new(),
            written: OnceLock::new(),
            activity,
        });
        runtime.resume_outbox(stored.outbox).await?;
        runtime.start_tasks();
        let settled = runtime.settle_leftovers().await;
        settled
            .map_err(|error| StoreError::Failed("settle interrupted uploads", Box::new(error)))?;
        Ok(runtime)
    }

    async fn resume_outbox(
        self: &Arc<Self>,
        deliveries: Vec<StoredDelivery>,
    ) -> Result<(), StoreError> {
        let runtime = self.clone();
        let in_trees = self.journal.read(move |reader| {
            let in_tree =
                |delivery: StoredDelivery| Ok((delivery.tree(&runtime.trees, reader)?, delivery));
            deliveries
                .into_iter()
                .map(in_tree)
                .collect::<Result<Vec<_>, StoreError>>()
        });
        let in_trees = in_trees.await.map_err(|_| StoreError::Stopped)??;
        self.outbox.resume(self, in_trees);
        Ok(())
    }

    /// Starts the tasks that run until the end. To be called once.
    fn start_tasks(self: &Arc<Self>) {
        let timers = actix_rt::spawn(timers::run(self.clone()));
        let sweeper = actix_rt::spawn(sweep::run(Arc::downgrade(self)));
        let calls = actix_rt::spawn(http_calls::run(self.clone()));
        let checker = self.clone();
        // The start does not wait for this check, which reads all live instances.
        actix_rt::spawn(async move {
            match checker.definitions.report_stranded().await {
                Ok(()) => {}
                Err(StoreError::Stopped) => return,
                Err(error) => {
                    log::error!("the definitions of live instances cannot be checked: {error}");
                }
            }
            if let Err(error) = checker.check_all().await {
                log::error!("the live instances cannot be checked: {error}");
            }
        });
        // Set here only, right after the runtime was created.
        let _ = self.tasks.set([
            timers.abort_handle(),
            sweeper.abort_handle(),
            calls.abort_handle(),
        ]);
    }
}

fn no_thread(error: std::io::Error) -> StoreError {
    StoreError::Failed("start the threads of steps", Box::new(error))
}
