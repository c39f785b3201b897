//! When the first message of a pair may be delivered: after earlier messages of its sender
//! (`delivery_order`), a throw after the subscriptions that were posted before it
//! (`unreceived_notes`), and then in the turn of its tree (`delivery_queue`).

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Outbox, OutboxDelivery, delivery_order, pump};
use crate::{limits, runtime::Runtime};

impl Outbox {
    /// Lets the first message of a pair wait for its turn in the tree, unless it has to wait for
    /// other messages first.
    pub(super) fn line_up(&self, runtime: &Arc<Runtime>, first: &OutboxDelivery) {
        if self.delivery_order.waits(first) {
            return;
        }
        let (pair, tree) = (first.pair(), first.tree.clone());
        let Some(turn) = self.turn_of_throw(first) else {
            return tree.deliveries().push(pair, first.waits_as_start());
        };
        let (again, active) = (runtime.clone(), runtime.active());
        // Not counted as in progress in the tree, because the notes it waits for may be.
        runtime.services.spawn(async move {
            // Beyond the deadline it is thrown before the notes that are still in delivery.
            let _in_time = tokio::time::timeout(limits::PUBLISH_WAIT, turn).await;
            tree.deliveries().push(pair, false);
            pump(&again, &tree);
            drop(active);
        });
    }

    fn turn_of_throw(&self, first: &OutboxDelivery) -> Option<oneshot::Receiver<()>> {
        let note = first.note().filter(|_| delivery_order::is_thrown(first))?;
        self.unreceived.turn_of_throw(first.target, note)
    }
}
