//! The effects of an instance's row on its tree: the number of live instances, and messages to
//! deliver.

use super::*;

impl ProcessInstance {
    /// Updates the tree for a row.
    pub(super) fn count_in_tree(
        &mut self,
        committed: &Committed,
        effects: &[Effect],
        bytes: usize,
    ) -> CountedInTree {
        let is_start = |effect: &&Effect| matches!(effect, Effect::Send { message, .. } if matches!(**message, InstanceMessage::Start { .. }));
        let begun = effects.iter().filter(is_start).count();
        self.enter_tree(committed, effects, begun);
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
            counted.add(tree, record, self.is_counted);
        }
        counted
    }

    /// Loads the tree of an instance that sends its first message, of which `begun` start others.
    fn enter_tree(&mut self, committed: &Committed, effects: &[Effect], begun: usize) {
        let sends = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Send { .. } | Effect::Notify { .. }));
        if self.tree.is_none() && sends {
            let live = (1 + committed.children.len()).saturating_sub(begun);
            let root = committed.members.head.root();
            self.tree = Some(self.runtime.trees.enter(root, live, 0));
        }
    }
}

impl CountedInTree {
    /// Updates the tree for a record. `is_counted`: the tree already counts the new instance.
    fn add(&mut self, tree: &Arc<Tree>, record: &Record, is_counted: bool) {
        match record {
            Record::Created(created) if created.parent.is_some() && !is_counted => {
                tree.grow(1);
                self.grown += 1;
            }
            Record::Ended { status } => {
                tree.shrink();
                self.shrunk += 1;
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
}
