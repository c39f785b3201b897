//! What a decided row becomes for the journal: the commit with its read models, its outbox messages
//! and, now and then, a snapshot.
//!
//! # Why so
//!
//! **No snapshot for a handful of rows.** At passivation and at the end a snapshot is written
//! only when at least 8 rows would have to be replayed: fewer are cheaper to replay than a
//! snapshot is to write.

use super::*;
use crate::{engine::trace::TraceContext, runtime::keys, text::memory};

impl ProcessInstance {
    /// Lets the tree know what a row means for it.
    pub(super) fn count_in_tree(
        &mut self,
        committed: &Committed,
        effects: &[Effect],
        bytes: usize,
    ) -> CountedInTree {
        let is_start = |effect: &&Effect| matches!(effect, Effect::Send { message, .. } if matches!(**message, InstanceMessage::Start { .. }));
        let begun = effects.iter().filter(is_start).count();
        let sends = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Send { .. } | Effect::Notify { .. }));
        if self.tree.is_none() && sends {
            let live = (1 + committed.children.len()).saturating_sub(begun);
            self.tree = Some(
                self.runtime
                    .trees
                    .enter(committed.members.head.root, live, 0),
            );
        }
        let mut counted = CountedInTree::default();
        let Some(tree) = &self.tree else {
            return counted;
        };
        counted.tree = Some(tree.clone());
        counted.grown = begun;
        tree.grow(begun);
        if begun > 0 {
            tree.deliveries()
                .wrote_starts(bytes, begun, tree.limits(), Instant::now());
        }
        for record in &committed.row.records {
            match record {
                Record::Created(created) if created.parent.is_some() && !self.is_counted => {
                    tree.grow(1);
                    counted.grown += 1;
                }
                Record::Ended { status } => {
                    tree.shrink();
                    counted.shrunk += 1;
                    if *status != Status::Finished {
                        tree.ended();
                    }
                }
                Record::DescendantsEnded => tree.ended(),
                Record::Created(_)
                | Record::DataMerged { .. }
                | Record::TokenMoved { .. }
                | Record::Migrated(_)
                | Record::SubscriptionsRenewed { .. }
                | Record::DataPatched { .. }
                | Record::VariablesDeclared { .. }
                | Record::DataReplaced { .. }
                | Record::FileStored(_)
                | Record::FlowArrived { .. }
                | Record::ElementActivated { .. }
                | Record::ElementCompleted { .. }
                | Record::ElementTerminated { .. }
                | Record::SubscriptionsOpened { .. }
                | Record::SubscriptionTriggered { .. }
                | Record::Multiple(_)
                | Record::DeliveryHeld(_)
                | Record::CorrelationNotified { .. }
                | Record::ConditionReset { .. }
                | Record::ScopeInterrupted { .. }
                | Record::WaitingFlowsCleared { .. }
                | Record::GatewayStateChanged { .. }
                | Record::ErrorThrown { .. }
                | Record::EscalationThrown { .. }
                | Record::CompensationThrown { .. }
                | Record::CompensationStarted { .. }
                | Record::CompensationCompleted { .. }
                | Record::TransactionCancelled { .. }
                | Record::ActionStarted { .. }
                | Record::ActionCompleted { .. }
                | Record::Pushed(_)
                | Record::OfferClosed { .. }
                | Record::ViewReplaced { .. }
                | Record::Returned { .. }
                | Record::ChildStarted(_)
                | Record::Loop(_)
                | Record::AdHoc(_)
                | Record::OutputsWritten { .. }
                | Record::MessageReceived { .. }
                | Record::ChildEnded { .. }
                | Record::ParentFinished
                | Record::MessageSent { .. }
                | Record::HttpCall(_)
                | Record::IncidentRaised { .. }
                | Record::Assigned { .. }
                | Record::TaskScheduled { .. }
                | Record::Reminded { .. }
                | Record::Decided { .. }
                | Record::ActionSkipped { .. }
                | Record::CallSkipped { .. }
                | Record::Held
                | Record::Unheld
                | Record::IncidentsResolved { .. } => {}
            }
        }
        counted
    }

    pub(super) fn commit(
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

    pub(super) fn due_snapshot(&mut self) -> Result<Option<SnapshotRow>, StoreError> {
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
