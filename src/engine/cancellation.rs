//! Cancellation of a transaction by a cancel end event in it.
//!
//! `compensation` runs the handlers, `elements::sub_process` leaves the transaction once they are done.

use super::{compensation, context::Step, record::Record, subscriber::Subscriber, subscription};
use crate::model::{ids::ElementKey, node_kind::NodeKind};

/// A cancel end event has been left: the innermost transaction around it ends its active elements
/// and compensates the completed ones. Only once. It waits for no event any more, as nothing may
/// interrupt that. Handlers that run already go on; the others follow.
pub(super) fn cancel(step: &mut Step<'_>, scope: Option<ElementKey>) {
    let is_transaction = |key: &ElementKey| {
        step.node_of(*key).is_some_and(
            |node| matches!(&node.kind, NodeKind::SubProcess(subprocess) if subprocess.transaction),
        )
    };
    let mut around = std::iter::successors(scope, |key| step.state.element(*key)?.scope());
    let Some(transaction) = around.find(is_transaction) else {
        return;
    };
    if step
        .state
        .element(transaction)
        .is_none_or(|element| element.is_cancelling() || element.is_undoing())
    {
        return;
    }
    let scope = Some(transaction);
    for by in [Subscriber::Element(transaction), Subscriber::Scope(scope)] {
        subscription::close_events(step, by);
    }
    step.record(Record::TransactionCancelled {
        element: transaction,
    });
    let is_handler = |key: &ElementKey| {
        let element = step.state.element(*key);
        element.is_some_and(|it| it.scope() == scope && it.compensates().is_some())
    };
    let mut handlers = step.state.inside(scope);
    handlers.retain(is_handler);
    step.empty_except(scope, &handlers);
    compensation::request(step, transaction, &[scope], None);
    if handlers.is_empty() {
        compensation::next(step, transaction, scope);
    }
}
