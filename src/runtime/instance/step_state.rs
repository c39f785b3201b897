//! One step of an instance: it is decided, and turned into a commit for the journal, with changes
//! of read models, outbox messages and sometimes a snapshot. When it may take long, it runs on
//! another thread, together with its state.
//!
//! Not here: on which thread (`turn`), what leaves after the commit (`after_commit`).
//!
//! # Rationale
//!
//! **No snapshot for a handful of rows.** When an instance leaves memory or ends, a snapshot is
//! written only if at least 8 rows would have to be replayed: replaying fewer is cheaper than
//! writing a snapshot.

use super::*;
use crate::{engine::trace::TraceContext, runtime::keys};

/// The state on which the steps of an instance work.
pub(super) struct StepState {
    key: InstanceKey,
    pub memory: Memory,
    /// The counts of the instance in the rows written so far; `None` before the first.
    counted: Option<Counted>,
    pub since_snapshot: Gathered,
}

/// The outcome of a step.
pub(super) struct EncodedStep {
    pub decided: Result<ActorDecision, Refusal>,
    /// The commit of the row to be written, unless it cannot be encoded.
    pub commit: Option<Commit>,
}

impl StepState {
    pub(super) fn new(key: InstanceKey, memory: Memory, since_snapshot: Gathered) -> Self {
        let counted = memory
            .as_ref()
            .map(|(state, _)| read_models::counted(state));
        Self {
            key,
            memory,
            counted,
            since_snapshot,
        }
    }

    /// Drops everything, because it can no longer be trusted.
    pub(super) fn forget(&mut self) {
        self.memory = None;
        self.since_snapshot = Gathered::default();
    }

    /// Takes everything out, for a step on another thread.
    pub(super) fn take(&mut self) -> Self {
        let nothing = Self {
            key: self.key,
            memory: None,
            counted: None,
            since_snapshot: Gathered::default(),
        };
        std::mem::replace(self, nothing)
    }

    /// Drops it. If that is cheaper for the next load than to replay its rows, a snapshot is handed
    /// to the writer before.
    pub(super) fn put_away(mut self, journal: &Journal, gate: &Arc<CommitGate>) {
        if self.since_snapshot.rows >= WORTH_A_SNAPSHOT
            && let Ok(slot) = journal.reserve()
            && let Ok(snapshot) = self.snapshot()
        {
            let release = gate.counted(|_| {});
            gate.on(slot)
                .snapshot(Entity::from(self.key), snapshot, release);
        }
    }

    /// Decides on a command and encodes its row.
    pub(super) fn step(
        &mut self,
        caller: Option<&Caller>,
        request: InstanceRequest,
        around: DecisionContext,
    ) -> EncodedStep {
        let decided = decide(&mut self.memory, caller, request, around);
        let commit = match &decided {
            Ok(ActorDecision::Write {
                committed,
                effects,
                before,
            }) => self
                .commit(committed, effects, before)
                .inspect_err(|error| {
                    let key = self.key;
                    log::error!("instance {key}: a row could not be encoded: {error}");
                })
                .ok(),
            _ => None,
        };
        EncodedStep { decided, commit }
    }

    fn commit(
        &mut self,
        committed: &Committed,
        effects: &[Effect],
        before: &SearchedTexts,
    ) -> Result<Commit, StoreError> {
        let Some((state, process)) = &self.memory else {
            return Err(StoreError::Panicked);
        };
        let row = &committed.row;
        let body = codec::encode(row)?;
        self.since_snapshot.rows += 1;
        self.since_snapshot.bytes += body.len();
        self.since_snapshot.memory += codec::memory(&body);
        let log_row = LogRow {
            entity: Entity::from(self.key),
            tenant: state.head().tenant.clone(),
            first_seq: row.first_seq,
            last_seq: row.last_seq(),
            time: row.time,
            body,
        };
        let changes = Arc::new(read_models::changes(
            &process.executable,
            before,
            self.counted.clone(),
            state,
            row,
            effects,
        )?);
        for change in changes.iter() {
            if let ReadModelChange::Instance(row, _) = change {
                self.counted = Some(Counted::of(row));
            }
        }
        let outbox = effects
            .iter()
            .filter_map(|effect| outbox_row(&state.head().tenant, effect, row.trace.as_ref()))
            .collect::<Result<_, _>>()?;
        let snapshot = self.due_snapshot()?;
        Ok(Commit {
            row: log_row,
            snapshot,
            changes,
            outbox,
            kept: None,
        })
    }

    fn due_snapshot(&mut self) -> Result<Option<SnapshotRow>, StoreError> {
        let Some((state, _)) = &self.memory else {
            return Ok(None);
        };
        let Gathered {
            rows,
            bytes,
            last_snapshot,
            ..
        } = self.since_snapshot;
        let often = rows >= SNAPSHOT_ROWS && bytes >= last_snapshot;
        let ended = !state.status().is_live() && rows >= WORTH_A_SNAPSHOT;
        if !often && !ended {
            return Ok(None);
        }
        self.snapshot().map(Some)
    }

    pub(super) fn snapshot(&mut self) -> Result<SnapshotRow, StoreError> {
        let Some((state, _)) = &self.memory else {
            return Err(StoreError::Panicked);
        };
        let snapshot = snapshot::take(state)?;
        self.since_snapshot = Gathered {
            rows: 0,
            bytes: 0,
            last_snapshot: snapshot.body.len(),
            memory: snapshot::memory(&snapshot.body),
        };
        Ok(snapshot)
    }
}

/// An outbox row, with the trace of its message.
fn outbox_row(
    tenant: &str,
    effect: &Effect,
    trace: Option<&TraceContext>,
) -> Option<Result<OutboxRow, StoreError>> {
    let (seq, target, message) = match effect {
        Effect::Send {
            number,
            target,
            message,
        } => {
            let body = codec::encode(&(message, trace));
            (*number, Entity::from(*target), body)
        }
        Effect::Notify {
            number,
            correlation,
            note,
        } => {
            let message = InstanceMessage::Note {
                tenant: tenant.to_owned(),
                correlation: correlation.clone(),
                note: note.clone(),
            };
            let target = keys::of_correlation(tenant, correlation);
            (*number, target, codec::encode(&(&message, trace)))
        }
        Effect::SetTimer(_) | Effect::ClearTimer(_) | Effect::Call(_) | Effect::ForgetCall(_) => {
            return None;
        }
    };
    Some(message.map(|body| OutboxRow {
        seq,
        target,
        body,
        publication: None,
    }))
}
