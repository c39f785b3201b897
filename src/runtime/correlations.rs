//! The entities of messages and signals: which elements wait for what, across all instances of a
//! tenant.
//!
//! Each message with its key, and each signal, is an entity of the journal, as an instance is: its
//! rows and snapshots are in the log, what it sends is in the outbox, and everything computed from
//! its state leaves through its commit gate. Instances report through their outbox what they wait
//! for, took and throw; the entity delivers publications through its own outbox. An entity that is
//! not in use leaves memory.
//!
//! Where to go next: `decide` for the effect of a command, `state` for what is remembered,
//! `publish` for publications by clients. Not here: what happens in an instance
//! (`engine::subscription`).

mod answer;
pub mod decide;
pub mod decided;
mod idle;
pub mod keep_out;
mod outcome;
mod publication_data;
pub mod publish;
mod record;
mod state;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use dashmap::DashMap;

use self::{
    decide::{CorrelationCommand, CorrelationContext, EventStart, decide},
    decided::{CorrelationAnswer, Decided, NotPublished, Outgoing},
    publish::Publishing,
    record::{CorrelationRecord, CorrelationRow},
    state::CorrelationState,
};
pub use self::{outcome::Outcome, publication_data::read_data};
use super::{
    Runtime,
    commit_gate::CommitGate,
    event_log::NotedPublication,
    instance_request::Refusal,
    keys,
    live_memory::{LiveMemory, LiveMemoryTotal},
    outbox::{NoteId, OutboxDelivery},
};
use crate::{
    engine::{Rejection, correlation::Correlation, rejection::RejectionKind, trace::TraceContext},
    journal::{
        Busy, Commit, Entity, KeptMessage, KeptMessageRow, Loaded, LogRow, OutboxRow, SnapshotRow,
        StoreError, codec,
    },
    limits::{self, Limit},
    model::ids::Time,
};

/// Rows after which a snapshot may be due.
const SNAPSHOT_ROWS: usize = 32;

/// The entities in memory.
pub struct Correlations {
    slots: DashMap<Entity, Arc<Slot>>,
    publishing: Publishing,
}

/// A request to the entity of a message or signal.
pub struct CorrelationRequest {
    /// The tenant of the entity.
    pub tenant: String,
    /// Which message or signal.
    pub correlation: Correlation,
    /// The command.
    pub command: CorrelationCommand,
    /// The trace that the request belongs to.
    pub trace: Option<TraceContext>,
    /// The audit entry, if an operator publishes.
    pub(super) noted: Option<NotedPublication>,
    /// Its identity, if later publications wait for it.
    pub note: Option<NoteId>,
    /// Receives the result once it is durable.
    pub reply: CorrelationReply,
}

/// Receives the result of a request.
pub type CorrelationReply = Box<dyn FnOnce(Result<CorrelationAnswer, Refusal>) + Send + Sync>;

struct Slot {
    inner: Mutex<EntityState>,
}

enum EntityState {
    /// It is being read from the store; requests wait.
    Loading(VecDeque<CorrelationRequest>),
    Live(Box<Live>),
    /// It has left memory: look it up again.
    Gone,
}

struct Live {
    state: CorrelationState,
    gate: Arc<CommitGate>,
    rows: usize,
    bytes: usize,
    last_snapshot: usize,
    memory: LiveMemory,
    used: Instant,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, EntityState> {
        // If a decision panics, the entity is removed from memory below; the store still has it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Correlations {
    /// The entities of a store that keeps these messages.
    pub fn load(kept: Vec<KeptMessageRow>) -> Self {
        Self {
            slots: DashMap::new(),
            publishing: Publishing::load(kept),
        }
    }

    /// Removes entities from memory that have not been used for `idle`.
    pub fn sweep(&self, idle: Duration) {
        self.slots.retain(|_, slot| {
            let mut inner = slot.lock();
            let leaves = match &*inner {
                EntityState::Live(live) => live.used.elapsed() >= idle && live.gate.is_open(),
                EntityState::Loading(_) => false,
                EntityState::Gone => true,
            };
            if leaves {
                *inner = EntityState::Gone;
            }
            !leaves
        });
    }
}

impl Runtime {
    /// Sends a request to the entity of a message or signal; loads the entity if necessary.
    pub fn correlate(self: &Arc<Self>, request: CorrelationRequest) {
        let entity = keys::of_correlation(&request.tenant, &request.correlation);
        loop {
            let mut is_new = false;
            let new = || {
                is_new = true;
                Arc::new(Slot {
                    inner: Mutex::new(EntityState::Loading(VecDeque::new())),
                })
            };
            // The map's lock is released here: the code below may use the map again.
            let slot = self
                .correlations
                .slots
                .entry(entity)
                .or_insert_with(new)
                .clone();
            let mut inner = slot.lock();
            match &mut *inner {
                EntityState::Gone => {
                    drop(inner);
                    self.correlations
                        .slots
                        .remove_if(&entity, |_, known| Arc::ptr_eq(known, &slot));
                    continue;
                }
                EntityState::Loading(waiting)
                    if waiting.len() >= limits::INSTANCE_MAILBOX.get() =>
                {
                    Limit::InstanceMailbox.refused();
                    drop(inner);
                    return (request.reply)(Err(Refusal::Busy));
                }
                EntityState::Loading(waiting) => {
                    waiting.push_back(request);
                    drop(inner);
                    if is_new {
                        self.load_correlation(entity, slot);
                    }
                    return;
                }
                EntityState::Live(live) if live.gate.is_broken() => {
                    *inner = EntityState::Gone;
                    continue;
                }
                EntityState::Live(live) => {
                    live.used = Instant::now();
                    let note = request.note;
                    let refused = self.decide_correlation(entity, live, request);
                    drop(inner);
                    match (refused, note) {
                        (Some((reply, refusal)), _) => reply(Err(refusal)),
                        (None, Some(note)) => self.outbox.unreceived.received(entity, note),
                        (None, None) => {}
                    }
                    return;
                }
            }
        }
    }

    fn load_correlation(self: &Arc<Self>, entity: Entity, slot: Arc<Slot>) {
        let runtime = self.clone();
        // After what was handed over before: if one of its rows was not written, later ones may
        // still be in the queue.
        self.pass_the_queue(move || {
            let journal = runtime.journal.clone();
            let total = runtime.live_memory.clone();
            journal.read_then(
                move |reader| remembered(&reader.load(entity)?, &total),
                move |loaded| {
                    let mut inner = slot.lock();
                    let next = match loaded {
                        Ok(live) => EntityState::Live(Box::new(live)),
                        Err(error) => {
                            log::error!(
                                "the messages of {:?} cannot be loaded: {error}",
                                entity.key
                            );
                            EntityState::Gone
                        }
                    };
                    let is_live = matches!(next, EntityState::Live(_));
                    let EntityState::Loading(waiting) = std::mem::replace(&mut *inner, next) else {
                        return;
                    };
                    drop(inner);
                    for request in waiting {
                        if is_live {
                            runtime.correlate(request);
                        } else {
                            (request.reply)(Err(Refusal::Internal));
                        }
                    }
                },
            );
        });
    }

    /// Decides and hands over under the entity's lock, so that rows are in the order of decisions.
    /// A refusal is answered after the lock is released.
    fn decide_correlation(
        self: &Arc<Self>,
        entity: Entity,
        live: &mut Live,
        request: CorrelationRequest,
    ) -> Option<(CorrelationReply, Refusal)> {
        let CorrelationRequest {
            tenant,
            correlation,
            command,
            trace,
            noted,
            note: _,
            reply,
        } = request;
        let permit = match self.journal.reserve() {
            Ok(permit) => live.gate.on(permit),
            Err(Busy) => return Some((reply, Refusal::Busy)),
        };
        let now = self.clock.now();
        let starts = self.event_starts(&tenant, &correlation);
        let around = CorrelationContext {
            now,
            tenant: &tenant,
            correlation: &correlation,
            starts: &starts,
            start_key: &|number, process| keys::of_event_start(entity, number, process, now),
            may_keep: self.correlations.publishing.has_room(&tenant, now),
            trace,
        };
        let decided = match decide(&mut live.state, command, &around) {
            Ok(decided) => decided,
            Err(refused) => return Some((reply, refusal(refused))),
        };
        let Decided {
            row,
            outgoing,
            outcome,
            awaited,
            settled,
            live: live_instance,
            is_partial,
        } = decided;
        let answer = CorrelationAnswer {
            awaited,
            outcome,
            live: live_instance,
            is_partial,
            is_repeat: row.is_none(),
        };
        let Some(row) = row else {
            let answer = self.answer_repetition(answer, noted, reply);
            permit.release(live.gate.counted(answer));
            return None;
        };
        let commit = match commit(entity, &tenant, now, live, &row, &outgoing) {
            Ok(commit) => commit,
            Err(error) => {
                log::error!("a row of {:?} could not be encoded: {error}", entity.key);
                return Some((reply, Refusal::Internal));
            }
        };
        if let Some(kept) = commit.kept {
            self.correlations.publishing.keep(&tenant, entity, kept);
        }
        let audit = noted
            .iter()
            .map(|noted| noted.row(&answer.outcome))
            .collect();
        let after_commit =
            self.after_correlation(entity, answer, noted, reply, (settled, outgoing));
        permit.append_audited(commit, audit, live.gate.counted(after_commit));
        None
    }

    /// Sends the messages of an entity.
    fn send(self: &Arc<Self>, entity: Entity, outgoing: Vec<Outgoing>) {
        if outgoing.is_empty() {
            return;
        }
        let tree = self.trees.enter(entity.instance(), 0, 0);
        for Outgoing {
            number,
            target,
            message,
            publication: _,
            trace,
        } in outgoing
        {
            let delivery = OutboxDelivery {
                source: entity,
                number,
                target: target.map_or(entity, Entity::from),
                message: Box::new(message),
                trace,
                tree: tree.clone(),
                owner: None,
            };
            self.outbox.post(self, delivery);
        }
    }

    /// The start events at which a message or signal starts published processes.
    fn event_starts(&self, tenant: &str, correlation: &Correlation) -> Vec<EventStart> {
        self.definitions
            .started_by_events(tenant)
            .iter()
            .flat_map(|process| {
                let starts = process.executable.event_starts();
                let fitting = starts.filter(|(_, _, event)| match correlation {
                    Correlation::Message { name, .. } => event.message() == Some(name),
                    Correlation::Signal { name } => event.signal() == Some(name),
                });
                fitting.map(|(node, event, _)| EventStart {
                    process: process.row.id.as_str().into(),
                    gathers: process.executable.gathering(node).is_some(),
                    event,
                })
            })
            .collect()
    }
}

fn refusal(refused: NotPublished) -> Refusal {
    match refused {
        NotPublished::IdReused => super::decide::id_reused().into(),
        NotPublished::Full => {
            Limit::MessagesKept.refused();
            let sentence = format!(
                "expected space for a message to keep, but {} of this tenant are kept already: \
                publish it when an element waits for it, or with a shorter ttl",
                limits::MESSAGES_KEPT.get()
            );
            Rejection::new(RejectionKind::Conflict, sentence).into()
        }
    }
}

fn commit(
    entity: Entity,
    tenant: &str,
    time: Time,
    live: &mut Live,
    row: &CorrelationRow,
    outgoing: &[Outgoing],
) -> Result<Commit, StoreError> {
    let body = codec::encode(row)?;
    live.rows += 1;
    live.bytes += body.len();
    live.memory.add(codec::memory(&body));
    let snapshot = if live.rows >= SNAPSHOT_ROWS && live.bytes >= live.last_snapshot {
        let body = codec::encode(&live.state)?;
        (live.rows, live.bytes, live.last_snapshot) = (0, 0, body.len());
        live.memory.set(codec::memory(&body));
        Some(SnapshotRow {
            seq: live.state.seq(),
            body,
        })
    } else {
        None
    };
    let outbox = outgoing.iter().map(|sent| {
        Ok(OutboxRow {
            seq: sent.number,
            target: sent.target.map_or(entity, Entity::from),
            body: codec::encode(&(publication_data::stored_form(&sent.message), &sent.trace))?,
            publication: sent.publication,
        })
    });
    Ok(Commit {
        row: LogRow {
            entity,
            tenant: tenant.to_owned(),
            first_seq: row.first_seq,
            last_seq: row.last_seq(),
            time,
            body,
        },
        snapshot,
        changes: Arc::default(),
        kept: kept(row, &live.state),
        outbox: outbox.collect::<Result<_, StoreError>>()?,
    })
}

/// The message that a row keeps until an element waits for it.
fn kept(row: &CorrelationRow, state: &CorrelationState) -> Option<KeptMessage> {
    let mut records = (row.first_seq..).zip(&row.records);
    records.find_map(|(number, record)| match record {
        CorrelationRecord::Published {
            until: Some(until), ..
        } if state.publication(number).is_some() => Some(KeptMessage {
            number,
            until: *until,
        }),
        _ => None,
    })
}

fn remembered(loaded: &Loaded, total: &LiveMemoryTotal) -> Result<Live, StoreError> {
    let mut state: CorrelationState = match &loaded.snapshot {
        Some(snapshot) => codec::decode(&snapshot.body)?,
        None => CorrelationState::default(),
    };
    let mut bytes = 0;
    let mut held = total.of_one(0);
    for body in loaded.snapshot.iter().map(|row| &row.body) {
        held.add(codec::memory(body));
    }
    for stored in &loaded.rows {
        bytes += stored.row.body.len();
        held.add(codec::memory(&stored.row.body));
        state.replay(&codec::decode::<CorrelationRow>(&stored.row.body)?);
    }
    Ok(Live {
        state,
        gate: Arc::default(),
        rows: loaded.rows.len(),
        bytes,
        last_snapshot: loaded.snapshot.as_ref().map_or(0, |row| row.body.len()),
        memory: held,
        used: Instant::now(),
    })
}
