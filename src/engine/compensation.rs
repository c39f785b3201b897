//! Compensation: what has been completed is undone by its handler, in reverse order of completion, one
//! after the other. A throw or end event asks for it in its scope; the cancel end event of a
//! transaction asks for it in the transaction, and what is active there ends first.
//!
//! What a completed embedded subprocess completed is compensated in a new visit of it, which begins
//! with what is compensated there instead of its start event, with the variables it ended with.
//!
//! What is remembered: `state::compensation`. When an element is left: `elements`.

use super::{
    context::Step,
    record::Record,
    state::{CompensationRun, ElementInstance},
};
use crate::model::{
    executable::ExecutableNode,
    ids::ElementKey,
    node_kind::{CompensationThrow, NodeKind},
};

/// Incident of an activity that cannot be remembered as one more that may be compensated.
pub(super) const LIMIT: &str = "compensation_limit";

/// Whether an element is remembered, once completed, to be compensated: it has a handler, or as an
/// embedded subprocess completed something that has.
pub(super) fn is_compensable(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    if step
        .state
        .element(key)
        .is_none_or(|element| element.is_undoing() || element.loop_counter().is_some())
        || node.for_compensation
    {
        return false;
    }
    node.compensation_handler.is_some()
        || step
            .state
            .scope(Some(key))
            .is_some_and(|scope| !scope.compensations().is_empty())
}

/// Whether an element that is about to be left may be remembered, if it has to be. Else that is an
/// incident of it; skipped, it goes on and cannot be compensated.
pub(super) fn has_room(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    if !is_compensable(step, key, node) || fits(step) {
        return true;
    }
    let sentence = format!(
        "expected at most {} completed activities of one instance that may be compensated, but \
        this is one more. Retry when some have been compensated, or skip: it goes on and is not \
        compensated later",
        step.limits.compensations
    );
    step.incident(key, LIMIT, sentence, None);
    false
}

/// Whether one more completed activity may be remembered.
pub(super) fn fits(step: &Step<'_>) -> bool {
    step.state.compensations() < step.limits.compensations
}

/// The work of a compensation event. `true` when it has not to wait any more.
pub(super) fn throw(step: &mut Step<'_>, key: ElementKey, thrown: &CompensationThrow) -> bool {
    let Some((scope, is_thrown)) = step
        .state
        .element(key)
        .map(|element| (element.scope(), element.has_thrown_compensation()))
    else {
        return false;
    };
    if !is_thrown {
        begin(step, key, scope, thrown.activity.as_deref());
    }
    !thrown.waits || !is_running(step, key, scope)
}

/// Asks for the compensation of what is completed in a scope: all, or every visit of one activity.
pub(super) fn begin(
    step: &mut Step<'_>,
    by: ElementKey,
    scope: Option<ElementKey>,
    activity: Option<&str>,
) {
    let completed = step.state.scope(scope).map(|scope| scope.compensations());
    let of = completed
        .unwrap_or_default()
        .iter()
        .filter(|completed| activity.is_none_or(|activity| **completed.node() == *activity))
        .map(|completed| completed.element())
        .collect();
    step.record(Record::CompensationThrown { by, scope, of });
    next(step, by, scope);
}

/// Whether handlers asked for by this element are still to run.
pub(super) fn is_running(step: &Step<'_>, by: ElementKey, scope: Option<ElementKey>) -> bool {
    run_of(step, by, scope).is_some()
}

/// A handler is about to be left or ended at its boundary: what it was to undo is undone.
/// Gives who asked for it.
pub(super) fn complete(step: &mut Step<'_>, handler: ElementKey) -> Option<ElementKey> {
    let by = step.state.element(handler)?.compensates()?;
    step.record(Record::CompensationCompleted { element: handler });
    Some(by)
}

/// Starts the next handler that an element has asked for; without any more the element goes on.
pub(super) fn next(step: &mut Step<'_>, by: ElementKey, scope: Option<ElementKey>) {
    let Some(run) = run_of(step, by, scope) else {
        return step.queue(by);
    };
    let (Some(last), arrivals) = (run.next(), run.arrivals().to_vec()) else {
        return;
    };
    let of = last.element();
    let Some(node) = step.process.node(last.node()) else {
        return;
    };
    let own = node.compensation_handler.as_ref();
    let own = own.filter(|_| last.is_finished());
    // Its key is the number of its record.
    let element = ElementKey(step.next_seq());
    match own {
        Some(handler) => step.activate(handler, scope, arrivals),
        None => step.activate_again(&node.id, scope, arrivals),
    }
    step.record(Record::CompensationStarted { element, by, of });
}

fn run_of<'a>(
    step: &'a Step<'_>,
    by: ElementKey,
    scope: Option<ElementKey>,
) -> Option<&'a CompensationRun> {
    step.state.scope(scope)?.compensating(by)
}

/// Whether an element is a completed embedded subprocess again, in which that is undone which it
/// completed.
pub(super) fn is_undoing(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    !node.for_compensation
        && step
            .state
            .element(key)
            .is_some_and(ElementInstance::is_undoing)
}

/// A cancel end event has been left: the innermost transaction around it ends what is active in it,
/// and undoes what is completed. Once.
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
        .is_none_or(|element| element.is_cancelling())
    {
        return;
    }
    step.record(Record::TransactionCancelled {
        element: transaction,
    });
    step.empty(Some(transaction));
    begin(step, transaction, Some(transaction), None);
}
