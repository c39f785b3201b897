//! Applies records that only set a mark on an element.

use crate::{
    engine::{
        record::AdHocRecord,
        state::{AdHocState, InstanceState, Subscriptions},
    },
    model::ids::ElementKey,
};

impl InstanceState {
    pub(super) fn write_outputs(&mut self, element: ElementKey) {
        self.with(element, |element| element.has_written_outputs = true);
    }

    /// Applies the cancellation of a transaction: nothing that happens to it interrupts its
    /// compensation.
    pub(super) fn cancel(&mut self, transaction: ElementKey) {
        self.with(transaction, |element| {
            element.cancelling = true;
            element.subscriptions = Some(Subscriptions::closed());
        });
        if let Some(scope) = self.scope_mut(Some(transaction)) {
            scope.subscriptions = Some(Subscriptions::closed());
        }
    }

    pub(super) fn ad_hoc(&mut self, record: &AdHocRecord) {
        let (element, keep) = match record {
            AdHocRecord::Opened { element } => (*element, AdHocState::Open),
            AdHocRecord::Fulfilled { element } => (*element, AdHocState::Fulfilled),
        };
        self.with(element, |element| element.ad_hoc = Some(keep));
        if keep == AdHocState::Fulfilled
            && let Some(scope) = self.scope_mut(Some(element))
        {
            scope.subscriptions = Some(Subscriptions::closed());
        }
    }
}
