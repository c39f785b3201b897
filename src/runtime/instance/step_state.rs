//! One step of an instance: decided, and made into what the journal takes: a commit with its read
//! models, its outbox messages and, now and then, a snapshot. All of it goes with its state to another
//! thread where it may take long.
//!
//! Not here: on which thread (`turn`), what leaves after the commit (`after_commit`).
//!
//! # Why so
//!
//! **No snapshot for a handful of rows.** At passivation and at the end a snapshot is written
//! only when at least 8 rows would have to be replayed: fewer are cheaper to replay than a
//! snapshot is to write.

use super::*;
use crate::{engine::trace::TraceContext, runtime::keys, text::memory};

/// What the steps of an instance work on.
pub(super) struct StepState {
    key: InstanceKey,
    pub memory: Memory,
    /// What the rows written so far count it as; nothing before the first.
    counted: Option<Counted>,
    pub since_snapshot: Gathered,
}

/// The outcome of a step.
pub(super) struct Step {
    pub decided: Result<ActorDecision, Refusal>,
    /// Of a row that is to be written, unless it cannot be encoded.
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

    /// Nothing of it is trusted any more.
    pub(super) fn forget(&mut self) {
        self.memory = None;
        self.since_snapshot = Gathered::default();
    }

    /// Takes what is known out, for a step on another thread.
    pub(super) fn take(&mut self) -> Self {
        let nothing = Self {
            key: self.key,
            memory: None,
            counted: None,
            since_snapshot: Gathered::default(),
        };
        std::mem::replace(self, nothing)
    }

    /// Decides on a command and encodes its row.
    pub(super) fn step(
        &mut self,
        caller: Option<&Caller>,
        ask: InstanceRequest,
        around: DecisionContext,
    ) -> Step {
        let decided = decide(&mut self.memory, caller, ask, around);
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
        Step { decided, commit }
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
        self.since_snapshot.memory += memory::of_message_pack(&body);
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
            memory: memory::of_message_pack(&snapshot.body),
        };
        Ok(snapshot)
    }
}

/// A message with the trace it belongs to.
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
        brings: None,
    }))
}
