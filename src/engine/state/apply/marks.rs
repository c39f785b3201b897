//! Applies records that only set a mark on an element.

use crate::{
    engine::{
        record::AdHocRecord,
        state::{AdHocState, InstanceState},
    },
    model::ids::ElementKey,
};

impl InstanceState {
    pub(super) fn write_outputs(&mut self, element: ElementKey) {
        self.with(element, |element| element.has_written_outputs = true);
    }

    pub(super) fn cancel(&mut self, transaction: ElementKey) {
        self.with(transaction, |element| element.cancelling = true);
    }

    pub(super) fn ad_hoc(&mut self, record: &AdHocRecord) {
        let (element, keep) = match record {
            AdHocRecord::Opened { element } => (*element, AdHocState::Open),
            AdHocRecord::Fulfilled { element } => (*element, AdHocState::Fulfilled),
        };
        self.with(element, |element| element.ad_hoc = Some(keep));
    }
}
