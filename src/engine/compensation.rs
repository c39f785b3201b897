//! Compensation: the handlers of completed activities run one after the other, in reverse order of
//! completion. A throw or end event requests it in its scope. The cancellation of a transaction
//! (`cancellation`) requests it in the transaction. An event subprocess
//! requests it in the enclosing scope, too.
//!
//! The activities completed in an embedded subprocess are compensated in a new visit of it, with
//! the variables it had at its end. Instead of its start event, the visit begins with those
//! activities, or with the event subprocess that compensation starts. The same holds for the
//! iterations of an activity that ran more than once: its handler runs for each.
//!
//! `state::compensation` keeps the completed activities, `elements` calls this module when an
//! element completes.

use std::sync::Arc;

use super::{
    context::Step,
    record::Record,
    state::{CompensationRun, ElementInstance},
};
use crate::model::{executable::ExecutableNode, ids::ElementKey, node_kind::CompensationThrow};

/// Incident of an activity for which there is no room among those that may be compensated.
pub(super) const LIMIT: &str = "compensation_limit";

/// Whether an element is remembered for compensation once it completes: it has a handler, or it is
/// a scope with completed activities that have one.
pub(super) fn is_compensable(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    let Some(element) = step.state.element(key) else {
        return false;
    };
    if element.is_undoing() || node.for_compensation || undoes_its_scope(step, node) {
        return false;
    }
    // For an activity with a loop, each iteration has the handler.
    let is_handled = node.compensation_handler.is_some() || event_subprocess(node).is_some();
    let completed = element.as_scope().map(|scope| scope.compensations());
    is_handled && !element.is_whole(node)
        || completed.is_some_and(|completed| !completed.is_empty())
}

/// Whether a node is an event subprocess that compensates the enclosing subprocess.
fn undoes_its_scope(step: &Step<'_>, node: &ExecutableNode) -> bool {
    let around = node
        .scope
        .as_ref()
        .and_then(|scope| step.process.node(scope));
    around.and_then(event_subprocess) == Some(&node.id)
}

/// The event subprocess that compensates a subprocess.
fn event_subprocess(node: &ExecutableNode) -> Option<&Arc<str>> {
    node.sub_process()?.compensation.as_ref()
}

/// Whether an element that is about to be left may be remembered for compensation, if necessary. If
/// not, it gets an incident; when that is skipped, it continues and cannot be compensated.
pub(super) fn has_room(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    if !is_compensable(step, key, node) {
        return true;
    }
    let Err(sentence) = fits(step, key) else {
        return true;
    };
    let sentence = format!(
        "{sentence}. Retry when some have been compensated, or skip: it continues and is not \
        compensated later"
    );
    step.incident(key, LIMIT, sentence, None);
    false
}

/// Whether one more completed activity may be remembered, with its variables.
///
/// # Errors
/// The limit that is exceeded.
pub(super) fn fits(step: &Step<'_>, key: ElementKey) -> Result<(), String> {
    if step.state.compensations() >= step.limits.compensations {
        return Err(format!(
            "expected at most {} completed activities of one instance that may be compensated, but \
            this is one more",
            step.limits.compensations
        ));
    }
    let Some(element) = step.state.element(key) else {
        return Ok(());
    };
    // The variables it owns are already counted.
    let others = step.state.owned_bytes() - element.owned_bytes();
    let kept = element.bytes_kept();
    if others + kept <= step.limits.variable_bytes {
        return Ok(());
    }
    Err(format!(
        "expected at most {} bytes of variables that the elements of one instance own together, \
        completed activities that may be compensated included, but with the {kept} of this one there \
        are more",
        step.limits.variable_bytes
    ))
}

/// The work of a compensation event, by its definitions. `true` when it need not wait any longer.
pub(super) fn throw(step: &mut Step<'_>, key: ElementKey, thrown: &[&CompensationThrow]) -> bool {
    let Some((scope, is_thrown)) = step
        .state
        .element(key)
        .map(|element| (element.scope(), element.has_thrown_compensation()))
    else {
        return false;
    };
    let scopes: Vec<Option<ElementKey>> = requested_scopes(step, scope).collect();
    if !is_thrown {
        let named = thrown.iter().map(|thrown| thrown.activity.as_deref());
        let activities: Option<Vec<&str>> = named.collect();
        begin(step, key, &scopes, activities.as_deref());
    }
    let waits = thrown.iter().any(|thrown| thrown.waits);
    !waits || !is_running(step, key, &scopes)
}

/// The scopes in which an event requests compensation, its own first: an event subprocess also
/// handles the normal flow of the enclosing scope.
fn requested_scopes(
    step: &Step<'_>,
    scope: Option<ElementKey>,
) -> impl Iterator<Item = Option<ElementKey>> {
    let around = |scope: &Option<ElementKey>| {
        let key = (*scope)?;
        let element = step.state.element(key)?;
        let subprocess = step.node_of(key)?.sub_process()?;
        (subprocess.triggered_by_event && !element.is_undoing()).then(|| element.scope())
    };
    std::iter::successors(Some(scope), around)
}

/// Requests the compensation of what is completed in these scopes, and starts the first handler.
fn begin(
    step: &mut Step<'_>,
    by: ElementKey,
    scopes: &[Option<ElementKey>],
    activities: Option<&[&str]>,
) {
    request(step, by, scopes, activities);
    if let Some(&scope) = scopes.first() {
        next(step, by, scope);
    }
}

/// Requests the compensation of what is completed in these scopes: everything, or every visit of
/// these activities.
pub(super) fn request(
    step: &mut Step<'_>,
    by: ElementKey,
    scopes: &[Option<ElementKey>],
    activities: Option<&[&str]>,
) {
    let mut is_requested = false;
    for &scope in scopes {
        let completed = step.state.scope(scope).map(|scope| scope.compensations());
        let of: Vec<ElementKey> = completed
            .unwrap_or_default()
            .iter()
            .filter(|completed| {
                activities.is_none_or(|activities| activities.contains(&&**completed.node()))
            })
            .map(|completed| completed.element())
            .collect();
        let is_last = scopes.last() == Some(&scope);
        if !of.is_empty() || (is_last && !is_requested) {
            step.record(Record::CompensationThrown { by, scope, of });
            is_requested = true;
        }
    }
}

/// Whether handlers requested by this element have yet to run in one of these scopes.
pub(super) fn is_running(step: &Step<'_>, by: ElementKey, scopes: &[Option<ElementKey>]) -> bool {
    scopes
        .iter()
        .any(|scope| run_of(step, by, *scope).is_some())
}

/// A handler is about to be left or ended at its boundary: its activity is compensated. Gives the
/// element that requested it.
pub(super) fn complete(step: &mut Step<'_>, handler: ElementKey) -> Option<ElementKey> {
    let by = step.state.element(handler)?.compensates()?;
    step.record(Record::CompensationCompleted { element: handler });
    Some(by)
}

/// Starts the next handler requested by an element, from this scope outwards; if there is none, the
/// element continues.
pub(super) fn next(step: &mut Step<'_>, by: ElementKey, scope: Option<ElementKey>) {
    let found = requested_scopes(step, scope).find(|scope| run_of(step, by, *scope).is_some());
    let Some((scope, run)) = found.and_then(|scope| Some((scope, run_of(step, by, scope)?))) else {
        // A handler that ran already when its transaction was cancelled: the transaction continues.
        let cancelled = scope.filter(|around| *around != by && is_cancelling(step, *around));
        return match cancelled {
            Some(transaction) => next(step, transaction, scope),
            None => step.queue(by),
        };
    };
    let (Some(last), arrivals) = (run.next(), run.arrivals().to_vec()) else {
        return;
    };
    let of = last.element();
    let Some(node) = step.process.node(last.node()) else {
        return;
    };
    // For an activity with a loop, the handler runs for each iteration.
    let is_whole = node.looping.is_some() && last.iteration().is_none();
    let own = node.compensation_handler.as_ref();
    let own = own.filter(|_| last.is_finished() && !is_whole);
    let undoing = own.and_then(|handler| step.process.node(handler));
    step.activate_to_undo(undoing.unwrap_or(node), scope, arrivals, (by, of));
}

fn run_of<'a>(
    step: &'a Step<'_>,
    by: ElementKey,
    scope: Option<ElementKey>,
) -> Option<&'a CompensationRun> {
    step.state.scope(scope)?.compensating(by)
}

/// Whether an element is a new visit of a completed activity in order to compensate its content.
pub(super) fn is_undoing(step: &Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    !node.for_compensation
        && step
            .state
            .element(key)
            .is_some_and(ElementInstance::is_undoing)
}

/// Compensates the content of a completed activity: by its event subprocess for that, otherwise the
/// latest activity first. `true` once that is done.
pub(super) fn undo(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    let Some(element) = step.state.element(key) else {
        return false;
    };
    let scope = Some(key);
    if !element.has_thrown_compensation() {
        let is_other = element.is_whole(node) || element.undoes_unfinished();
        match event_subprocess(node).filter(|_| !is_other) {
            Some(subprocess) => {
                let of = Vec::new();
                step.record(Record::CompensationThrown { by: key, scope, of });
                step.activate(subprocess, scope, Vec::new());
            }
            None => begin(step, key, &[scope], None),
        }
    }
    let live = step.state.scope(scope).map_or(0, |scope| scope.live());
    live == 0 && !is_running(step, key, &[scope]) && !step.stops_at_join(scope)
}

/// Whether an element is a transaction that was cancelled and has not been left.
pub(super) fn is_cancelling(step: &Step<'_>, key: ElementKey) -> bool {
    let element = step.state.element(key);
    element.is_some_and(ElementInstance::is_cancelling)
}

/// Whether a cancelled transaction still compensates: handlers run, or have yet to run.
pub(super) fn is_undoing_cancelled(step: &Step<'_>, key: ElementKey) -> bool {
    let live = step.state.scope(Some(key)).map_or(0, |scope| scope.live());
    live > 0 || is_running(step, key, &[Some(key)])
}
