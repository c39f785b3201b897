//! Retry: an element with an incident repeats the failed work; work that has been done is not
//! repeated.

use super::automatic::{OnRecord, perform};
use crate::{
    engine::{
        conditions,
        context::{STOPPED, Step},
        due_date, elements,
        guards::require_moving,
        looping, mappings, quotas,
        record::{Incident, Record},
        rejection::{Rejection, RejectionKind},
        subprocess,
    },
    model::ids::ElementKey,
};

/// Repeats the work that failed with incidents of an element.
pub(in crate::engine) fn retry(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    let elements = looping::with_incidents(step, key)?;
    require_moving(step)?;
    elements
        .into_iter()
        .try_for_each(|element| retry_one(step, element))
}

fn retry_one(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    let failed: Vec<Incident> = step
        .state
        .element(key)
        .map(|element| element.incidents().to_vec())
        .unwrap_or_default();
    let node = step.node_of(key).filter(|_| !failed.is_empty());
    let Some(node) = node else {
        let sentence = "expected an element with an incident, but this one has none: it was \
            retried already, or has completed";
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    };
    if elements::complex_gateway::give_back(step, key, node) {
        return Ok(());
    }
    step.record(Record::IncidentsResolved {
        element: key,
        skipped: false,
    });
    let stopped = failed
        .iter()
        .any(|incident| STOPPED.contains(&&*incident.code));
    for Incident { code, action, .. } in failed {
        let element = step.state.element(key);
        if !element.is_some_and(|element| element.is_active()) {
            // Another throw of the error has ended the element.
            return Ok(());
        }
        match &*code {
            due_date::UNREADABLE => due_date::retry(step, key),
            mappings::INPUT | quotas::VARIABLES => step.begin_element(key),
            conditions::FAILED => conditions::mark_all(step),
            // The action has not been triggered yet.
            quotas::DELAYED => continue,
            _ => {}
        }
        let on_record = if code == subprocess::end::NOT_STARTED {
            OnRecord::Completed
        } else {
            OnRecord::Started
        };
        if let Some((name, occurrence)) = action
            && let Some(action) = node.action(&name)
        {
            perform(step, key, action, occurrence, on_record);
        }
    }
    step.queue(key);
    if stopped {
        step.queue_inside(key);
    }
    Ok(())
}
