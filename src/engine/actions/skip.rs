//! Skip: an element with an incident continues without the failed work.
//!
//! A skipped triggering counts as cancelled: nothing waits for it, its work is not done, and its
//! children are not triggered. A skipped call activity continues without a result. A gateway can
//! only be skipped by its default flow: without one there is no flow to take.

use std::sync::Arc;

use crate::{
    engine::{
        compensation, conditions,
        context::{STOPPED, Step},
        due_date,
        elements::{self, ad_hoc},
        guards::require_moving,
        looping, mappings, publishing, quotas,
        record::{LoopRecord, Record},
        rejection::{Rejection, RejectionKind},
        state::ElementInstance,
        subscription,
    },
    model::ids::ElementKey,
};

/// Codes of incidents of an element that cannot choose the flows by which its token leaves.
const NO_CHOICE: [&str; 2] = ["condition_error", "no_flow"];

/// Continues without the work that failed with incidents of an element.
pub(in crate::engine) fn skip(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    let meant = looping::with_incidents(step, key)?;
    require_moving(step)?;
    meant
        .into_iter()
        .try_for_each(|element| skip_one(step, element))
}

fn skip_one(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    let element = step
        .state
        .element(key)
        .filter(|element| !element.incidents().is_empty());
    let Some((element, node)) = element.zip(step.node_of(key)) else {
        let sentence = "expected an element with an incident, but this one has none: it was \
            repaired already, or has completed";
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    };
    let failed: Vec<Option<(Arc<str>, u32)>> = element
        .incidents()
        .iter()
        .map(|incident| incident.action.clone())
        .collect();
    // An element that was stopped before any work has none to skip: it continues.
    let stopped = element
        .incidents()
        .iter()
        .any(|incident| STOPPED.contains(&&*incident.code));
    let has = |code: &str| {
        let mut incidents = element.incidents().iter();
        incidents.any(|incident| incident.code == code)
    };
    // The events that an element throws are evaluated last.
    let is_whole = element.is_whole(node);
    let (stops, left_out) = (
        looping::stops_by_skip(element),
        looping::is_left_out(element),
    );
    let cannot_publish = has(publishing::UNREADABLE);
    let lacks_inputs = has(mappings::INPUT) || has(quotas::VARIABLES);
    let lacks_outputs = has(mappings::OUTPUT) && node.call().is_none();
    let cannot_choose = NO_CHOICE.iter().any(|code| has(code));
    // The element has done its work, but there is no room to keep it for compensation.
    let is_forgotten = has(compensation::LIMIT);
    if cannot_choose && node.default_flow.is_none() {
        let sentence = format!(
            "expected an element that can be skipped, but '{}' has no default flow to take: \
            correct the data (patch) and retry",
            node.id
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    let opens = has(ad_hoc::ACTIVE_ELEMENTS) && !stopped;
    let is_unasked = has(ad_hoc::CONDITION);
    let is_unreadable = subscription::UNREADABLE.iter().any(|code| has(code));
    let is_condition = has(conditions::FAILED) && subscription::waits_itself(node);
    if is_unreadable && node.is_event_gateway() {
        let sentence = format!(
            "expected an element that can be skipped, but gateway '{}' waits for its events and \
            has no flow to take: correct the data (patch) and retry",
            node.id
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    elements::complex_gateway::go_on(step, key, node);
    step.record(Record::IncidentsResolved {
        element: key,
        skipped: true,
    });
    for (action, occurrence) in failed.into_iter().flatten() {
        step.record(Record::ActionSkipped {
            element: key,
            action,
            occurrence,
        });
    }
    let failed_call = |element: &ElementInstance| element.call().is_none();
    if is_whole && stops {
        step.record_loop(LoopRecord::Stopped { element: key });
    } else if node.call().is_some() && !stopped && step.state.element(key).is_some_and(failed_call)
    {
        step.record(Record::CallSkipped { element: key });
    }
    if lacks_inputs {
        mappings::begin_without_inputs(step, key);
        due_date::begin(step, key);
    }
    if is_unreadable {
        subscription::open_readable(step, key, node);
    }
    if opens {
        ad_hoc::open(step, key, Vec::new());
    }
    if is_condition {
        subscription::pass(step, key, node);
    }
    if (cannot_publish || is_forgotten) && !stopped {
        elements::leave_silently(step, key, node);
    } else if left_out {
        elements::leave_iteration(step, key, node);
    } else if is_unasked {
        elements::leave_without_asking(step, key, node);
    } else if lacks_outputs {
        elements::leave_without_outputs(step, key, node);
    } else if cannot_choose {
        elements::leave_by_default(step, key, node);
    } else {
        step.queue(key);
    }
    Ok(())
}
