//! Starts instances at the due times of schedules: one sleep until the first is due, and a few
//! starts at a time, so that many due at once do not delay users.
//!
//! The times of one schedule are started one after the other, each once the one before is durable
//! with its instance. A start without room is tried again; one that is refused, or fails
//! repeatedly, is given up, and its schedule says why.
//!
//! # Rationale
//!
//! **A scheduled start's next time is written after the start is durable**; the start's key is
//! derived from the due time.

use std::{collections::BTreeSet, pin::Pin, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{NextScheduledRun, ScheduledRun, Schedules, put, scheduled_run::SEARCH_PAUSE, view_of};
use crate::{
    engine::{
        Rejection,
        command::StartInstance,
        record::{Created, Status},
        rejection::RejectionKind,
    },
    journal::{ScheduleKey, ScheduleRow, StoreError},
    model::{
        executable::ExecutableSchedule,
        ids::{InstanceKey, Time},
        schedule::{Overlap, When},
        user_name::SCHEDULED,
    },
    runtime::{
        QUEUE_AGAIN, ROOM_AGAIN, Runtime,
        catalog::Catalog,
        durable::{NoAnswer, TableDecision},
        idle_tracker::InProgress,
        instance_request::{
            Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo, ResolvedStart,
        },
        keys,
    },
};

/// The pause before a start that had no room, or failed, is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// Tries of a start that fails.
const TRIES: u32 = 8;

/// The outcome of a scheduled start.
enum FiringOutcome {
    /// The instance is durable.
    Started(InstanceKey),
    /// Left out, because the instance started before is still live.
    Skipped,
    /// It cannot be started; the sentence says why.
    Failed(String),
}

impl Runtime {
    /// Lets schedules start instances from now on: those of the server's start at once, the others
    /// when they are due, and those that came due while the server was down according to their
    /// rules. Call it once, when the processes of the configuration are deployed.
    ///
    /// # Errors
    /// If the journal is closed.
    pub async fn begin_schedules(self: &Arc<Self>) -> Result<(), StoreError> {
        let unnoted = self.unnoted().await?;
        let begin = |catalog: &Catalog| {
            Ok::<_, StoreError>(TableDecision {
                change: Some(self.schedules.follow_at_start(catalog, &unnoted)),
                answer: (),
            })
        };
        loop {
            match self.schedules.table.change(begin).await {
                Ok(begun) => break begun?,
                Err(NoAnswer::Busy) => tokio::time::sleep(QUEUE_AGAIN).await,
                Err(NoAnswer::NoRoom) => {
                    self.begin_schedules_later();
                    return Ok(());
                }
                Err(NoAnswer::Unknown) => return Err(StoreError::Panicked),
            }
        }
        let at_start = self.schedules.with_the_server(self.clock.now());
        let task = actix_rt::spawn(run(self.clone(), at_start, self.active()));
        // Only set here.
        let _ = self.schedules.task.set(task.abort_handle());
        Ok(())
    }

    /// A full disk prevents no reading: the server starts, and its schedules begin when there is
    /// room.
    fn begin_schedules_later(self: &Arc<Self>) {
        let runtime = self.clone();
        actix_rt::spawn(async move {
            tokio::time::sleep(ROOM_AGAIN).await;
            let begun: Pin<Box<dyn Future<Output = Result<(), StoreError>>>> =
                Box::pin(runtime.begin_schedules());
            if let Err(error) = begun.await {
                log::error!("the schedules cannot begin: {error}");
            }
        });
    }

    /// Instances for overdue times that an earlier run of the server started without recording them
    /// in the schedule.
    async fn unnoted(&self) -> Result<BTreeSet<InstanceKey>, StoreError> {
        let now = self.clock.now();
        let overdue: Vec<_> = self.schedules.table.read(|catalog| {
            let next = catalog
                .schedules()
                .filter_map(|row| Some((row.key.clone(), row.next_due?)));
            next.filter(|(_, due)| *due <= now).collect()
        });
        let instance = |(
            ScheduleKey {
                tenant,
                process,
                node,
            },
            due,
        ): &_| keys::of_schedule(tenant, process, node, *due);
        let instances: Vec<InstanceKey> = overdue.iter().map(instance).collect();
        let read = self.journal.read(move |reader| {
            let rows = instances
                .into_iter()
                .filter_map(|key| reader.instance(key).transpose());
            rows.map(|row| row.map(|row| row.key))
                .collect::<Result<_, StoreError>>()
        });
        read.await.map_err(|_| StoreError::Stopped)?
    }

    /// Starts an instance of a schedule at once, even if the schedule is disabled; its times stay
    /// as they are. A repeat of the command has no second effect.
    ///
    /// # Errors
    /// [`RejectionKind::NotFound`]; [`RejectionKind::Conflict`] while the process is disabled, or
    /// for a schedule that does not overlap and whose last instance is live; the refusal of the
    /// start; [`Refusal::Busy`].
    pub async fn run_schedule(
        self: &Arc<Self>,
        key: &ScheduleKey,
        command: Uuid,
    ) -> Result<InstanceKey, Refusal> {
        let order = self.schedules.order_now(key, self.clock.now())?;
        let instance = keys::of_start(&key.tenant, &subject(key), command);
        let runtime = self.clone();
        // Carried out even if the request is cut off.
        let carried_out = actix_rt::spawn(async move {
            let active = runtime.active();
            let key = order.key.clone();
            let turn = runtime.schedules.underway().turn(&key);
            let turn = turn.lock_owned().await;
            let done = run_now(&runtime, order, instance).await;
            runtime.schedules.underway().end_turn(&key, turn);
            drop(active);
            done
        });
        carried_out.await.unwrap_or(Err(Refusal::Unknown))
    }
}

impl Schedules {
    /// The starts that are due at the server's start.
    fn with_the_server(&self, now: Time) -> Vec<ScheduledRun> {
        self.table.read(|catalog| {
            let at_start = |row: &ScheduleRow| {
                let view = view_of(catalog, row)
                    .filter(|view| view.row.enabled && view.process.is_published())?;
                let starts = view.schedule()?.written.when.contains(&When::Startup);
                starts.then(|| ScheduledRun {
                    key: view.row.key.clone(),
                    due: now,
                    planned: None,
                    process: view.process.clone(),
                })
            };
            catalog.schedules().filter_map(at_start).collect()
        })
    }

    /// A start outside of the schedule's times.
    fn order_now(&self, key: &ScheduleKey, now: Time) -> Result<ScheduledRun, Refusal> {
        let view = self.get(key)?;
        if !view.process.is_published() {
            let process = &key.process;
            let sentence = format!(
                "expected a process that may start, but '{process}' is disabled: enable it with \
                POST /v1/definitions/{process}/enable"
            );
            return Err(Rejection::new(RejectionKind::Conflict, sentence).into());
        }
        Ok(ScheduledRun {
            key: key.clone(),
            due: now,
            planned: None,
            process: view.process,
        })
    }

    /// Writes the outcome of a start; waits for room.
    async fn conclude(&self, order: &ScheduledRun, outcome: &FiringOutcome) {
        let now = self.clock.now();
        let decide = |catalog: &Catalog| {
            // A deleted schedule has nothing to write.
            let concluded = catalog.schedule(&order.key).map(|row| {
                let process = catalog
                    .versions()
                    .current(&order.key.tenant, &order.key.process);
                let schedule = process
                    .as_ref()
                    .and_then(|process| process.executable.node(&order.key.node)?.schedule());
                put(concluded(row, schedule, order, outcome, now))
            });
            Ok::<_, NoAnswer>(TableDecision {
                change: concluded,
                answer: (),
            })
        };
        loop {
            match self.table.change(decide).await {
                Ok(_) => break,
                Err(NoAnswer::Busy) => tokio::time::sleep(AGAIN).await,
                Err(NoAnswer::NoRoom) => tokio::time::sleep(ROOM_AGAIN).await,
                Err(NoAnswer::Unknown) => return,
            }
        }
        if order.planned.is_some() {
            self.underway().firing.remove(&order.key);
            self.kept.notify_one();
        }
    }
}

/// The row with the outcome of a start.
fn concluded(
    row: &ScheduleRow,
    schedule: Option<&ExecutableSchedule>,
    order: &ScheduledRun,
    outcome: &FiringOutcome,
    now: Time,
) -> ScheduleRow {
    let mut row = row.clone();
    // Otherwise the schedule started over meanwhile, or continued past this time.
    if order.planned.is_some() && row.next_due == order.planned {
        row.next_due =
            schedule.and_then(|schedule| schedule.occurrences.next(order.due, row.begun_at));
    }
    match outcome {
        FiringOutcome::Started(instance) => {
            row.fired += 1;
            (row.last_fired, row.last_instance) = (Some(now), Some(*instance));
            (row.last_error, row.failed_at) = (None, None);
        }
        FiringOutcome::Skipped => row.last_skipped = Some(order.due),
        FiringOutcome::Failed(sentence) => {
            (row.last_error, row.failed_at) = (Some(sentence.clone()), Some(now))
        }
    }
    row
}

/// Runs the schedules until the server ends.
async fn run(runtime: Arc<Runtime>, at_start: Vec<ScheduledRun>, active: Option<InProgress>) {
    // Generated at each start of the server, so that each starts an instance of its own.
    let boot = Uuid::now_v7();
    for order in at_start {
        let instance = keys::of_start(&order.key.tenant, &subject(&order.key), boot);
        spawn(&runtime, order, instance).await;
    }
    drop(active);
    let mut changes = runtime.schedules.table.changes();
    loop {
        let active = runtime.active();
        let is_blocked = loop {
            let order = match runtime.schedules.take_due(runtime.clock.now()) {
                NextScheduledRun::Run(order) => order,
                NextScheduledRun::Blocked => break true,
                NextScheduledRun::Nothing => break false,
            };
            let ScheduleKey {
                tenant,
                process,
                node,
            } = &order.key;
            let instance = keys::of_schedule(tenant, process, node, order.due);
            spawn(&runtime, order, instance).await;
        };
        drop(active);
        let next = match is_blocked {
            // Others may have become due by then.
            true => None,
            false => Some(runtime.schedules.next_due().unwrap_or_else(Time::last)),
        };
        let due = async {
            match next {
                Some(next) => runtime.clock.near(next).await,
                None => tokio::time::sleep(SEARCH_PAUSE).await,
            }
        };
        tokio::select! {
            () = due => {}
            () = runtime.schedules.kept.notified() => {}
            // The table lives as long as the runtime.
            _ = changes.changed() => {}
        }
    }
}

/// Carries a start out beside others, once there is a place.
async fn spawn(runtime: &Arc<Runtime>, order: ScheduledRun, instance: InstanceKey) {
    let Ok(permit) = runtime.schedules.firing.clone().acquire_owned().await else {
        return;
    };
    let (runtime, active) = (runtime.clone(), runtime.active());
    actix_rt::spawn(async move {
        let turn = runtime.schedules.underway().turn(&order.key);
        let turn = turn.lock_owned().await;
        let outcome = if overlaps(&runtime, &order).await {
            FiringOutcome::Skipped
        } else {
            begin(&runtime, &order, instance).await
        };
        if let FiringOutcome::Failed(sentence) = &outcome {
            let ScheduleKey { process, node, .. } = &order.key;
            log::warn!(
                "schedule '{node}' of process '{process}': what was due at {} could not be \
                started: {sentence}",
                order.due
            );
        }
        runtime.schedules.conclude(&order, &outcome).await;
        runtime.schedules.underway().end_turn(&order.key, turn);
        drop((permit, active));
    });
}

async fn run_now(
    runtime: &Arc<Runtime>,
    order: ScheduledRun,
    instance: InstanceKey,
) -> Result<InstanceKey, Refusal> {
    // A repeat finds the instance that it started, whatever else is live by now.
    if overlaps(runtime, &order).await && status(runtime, instance).await.is_none() {
        let sentence = "expected that the instance this schedule started last has ended, because \
            its starts may not overlap, but it is live";
        return Err(Rejection::new(RejectionKind::Conflict, sentence).into());
    }
    match start(runtime, &order, instance).await {
        InstanceResponse::Refused(refusal) => Err(refusal),
        InstanceResponse::Unchanged => Ok(instance),
        _ => {
            runtime
                .schedules
                .conclude(&order, &FiringOutcome::Started(instance))
                .await;
            Ok(instance)
        }
    }
}

/// Whether the schedule must not start, because the instance it started before is live.
async fn overlaps(runtime: &Runtime, order: &ScheduledRun) -> bool {
    let node = order.process.executable.node(&order.key.node);
    let skips = node
        .and_then(|node| node.schedule())
        .is_some_and(|schedule| schedule.written.overlap == Overlap::Skip);
    let last = runtime
        .schedules
        .table
        .read(|catalog| catalog.schedule(&order.key)?.last_instance);
    let Some(last) = last.filter(|_| skips) else {
        return false;
    };
    status(runtime, last).await.is_some_and(Status::is_live)
}

/// The status of an instance, if it exists.
async fn status(runtime: &Runtime, instance: InstanceKey) -> Option<Status> {
    match runtime
        .journal
        .read(move |reader| reader.instance(instance))
        .await
    {
        Ok(Ok(row)) => row.and_then(|row| Status::named(&row.status)),
        Ok(Err(error)) => {
            log::error!("instance {instance} cannot be looked up for its schedule: {error}");
            None
        }
        Err(_) => None,
    }
}

/// Starts the instance, repeatedly while there is no room.
async fn begin(
    runtime: &Arc<Runtime>,
    order: &ScheduledRun,
    instance: InstanceKey,
) -> FiringOutcome {
    let mut broken = 0;
    loop {
        match start(runtime, order, instance).await {
            InstanceResponse::Refused(Refusal::Rejected(rejection)) => {
                return FiringOutcome::Failed(rejection.message);
            }
            InstanceResponse::Refused(Refusal::NoRoom(_)) => {
                tokio::time::sleep(ROOM_AGAIN).await;
                continue;
            }
            InstanceResponse::Refused(Refusal::Busy) => {}
            InstanceResponse::Refused(_) => broken += 1,
            // Including one that an earlier run of the server started without recording it.
            _ => return FiringOutcome::Started(instance),
        }
        if broken == TRIES {
            return FiringOutcome::Failed(format!(
                "expected the start to succeed, but it failed {TRIES} times with an internal \
                error: the log says why"
            ));
        }
        tokio::time::sleep(AGAIN * (1 + broken)).await;
    }
}

async fn start(
    runtime: &Arc<Runtime>,
    order: &ScheduledRun,
    instance: InstanceKey,
) -> InstanceResponse {
    let (sender, answered) = oneshot::channel();
    let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
    let command = StartInstance {
        trace: None,
        head: head(order, instance),
        start_condition: None,
        start_event: Some(order.key.node.as_str().into()),
    };
    let request = InstanceRequest::Start(Box::new(ResolvedStart {
        command,
        process: order.process.clone(),
        tag: None,
        place: None,
    }));
    runtime.dispatch(
        instance,
        Envelope {
            caller: None,
            request,
            reply,
        },
    );
    answered
        .await
        .unwrap_or(InstanceResponse::Refused(Refusal::Internal))
}

fn head(order: &ScheduledRun, instance: InstanceKey) -> Created {
    let schedule = order
        .process
        .executable
        .node(&order.key.node)
        .and_then(|node| node.schedule());
    let data = schedule
        .map(|schedule| schedule.written.start_data.clone())
        .unwrap_or_default();
    let started_by = format!("{SCHEDULED}{}", order.key.process);
    Created {
        key: instance,
        tenant: order.key.tenant.clone(),
        process: order.process.reference(),
        business_key: None,
        parent: None,
        started_by,
        data: Value::Object(data),
        expires_at: None,
        origin: None,
        test: false,
        scheduled_for: Some(order.due),
        correlation: None,
    }
}

/// The subject of a schedule as the starter of instances; clients cannot have it.
fn subject(key: &ScheduleKey) -> String {
    format!("{SCHEDULED}{}:{}", key.process, key.node)
}
