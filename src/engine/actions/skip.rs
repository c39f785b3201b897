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
    model::{executable::ExecutableNode, ids::ElementKey},
};

/// Codes of incidents of an element that cannot choose the flows by which its token leaves.
const NO_CHOICE: [&str; 2] = ["condition_error", "no_flow"];

/// Continues without the work that failed with incidents of an element.
pub(in crate::engine) fn skip(step: &mut Step<'_>, key: ElementKey) -> Result<(), Rejection> {
    let elements = looping::with_incidents(step, key)?;
    require_moving(step)?;
    elements
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
    let parts = FailedParts::of(element, node);
    parts.require_skippable(node)?;
    elements::complex_gateway::continue_skipped(step, key, node);
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
    let stopped = parts.everything;
    parts.skip_work(step, key, node);
    parts.skip_beginning(step, key, node);
    parts.leave(step, key, node);
    if stopped {
        step.queue_inside(key);
    }
    Ok(())
}

/// The parts of an element's life that failed with its incidents.
struct FailedParts {
    /// All of them: the element was stopped before any work. It has none to skip, and continues.
    everything: bool,
    is_whole: bool,
    /// The iterations of a whole that have not begun.
    iterations: bool,
    /// The result or the condition of an iteration.
    iteration_end: bool,
    inputs: bool,
    outputs: bool,
    /// The choice of the flows by which the token leaves.
    choice: bool,
    /// The messages and signals that the element publishes; they are evaluated last.
    publishing: bool,
    /// The element has done its work, but there is no room to keep it for compensation.
    compensation: bool,
    /// The initial activities of an ad-hoc subprocess.
    initial_activities: bool,
    /// The completion condition of the ad-hoc subprocess around the element.
    completion_condition: bool,
    subscriptions: bool,
    /// The condition that the element waits for.
    own_condition: bool,
}

impl FailedParts {
    fn of(element: &ElementInstance, node: &ExecutableNode) -> Self {
        let has = |code: &str| {
            let mut incidents = element.incidents().iter();
            incidents.any(|incident| incident.code == code)
        };
        let everything = STOPPED.iter().any(|code| has(code));
        Self {
            everything,
            is_whole: element.is_whole(node),
            iterations: looping::stops_by_skip(element),
            iteration_end: looping::is_left_out(element),
            inputs: has(mappings::INPUT) || has(quotas::VARIABLES),
            outputs: has(mappings::OUTPUT) && node.call().is_none(),
            choice: NO_CHOICE.iter().any(|code| has(code)),
            publishing: has(publishing::UNREADABLE),
            compensation: has(compensation::LIMIT),
            initial_activities: has(ad_hoc::ACTIVE_ELEMENTS) && !everything,
            completion_condition: has(ad_hoc::CONDITION),
            subscriptions: subscription::UNREADABLE.iter().any(|code| has(code)),
            own_condition: has(conditions::FAILED) && subscription::waits_itself(node),
        }
    }

    fn require_skippable(&self, node: &ExecutableNode) -> Result<(), Rejection> {
        let id = &node.id;
        let sentence = if self.choice && node.default_flow.is_none() {
            format!(
                "expected an element that can be skipped, but '{id}' has no default flow to take: \
                correct the data (patch) and retry"
            )
        } else if self.subscriptions && node.is_event_gateway() {
            format!(
                "expected an element that can be skipped, but gateway '{id}' waits for its events \
                and has no flow to take: correct the data (patch) and retry"
            )
        } else {
            return Ok(());
        };
        Err(Rejection::new(RejectionKind::Conflict, sentence))
    }

    /// Continues without the iterations of a whole, or the child of a call activity.
    fn skip_work(&self, step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
        let failed_call = |element: &ElementInstance| element.call().is_none();
        if self.is_whole && self.iterations {
            step.record_loop(LoopRecord::Stopped { element: key });
        } else if node.call().is_some()
            && !self.everything
            && step.state.element(key).is_some_and(failed_call)
        {
            step.record(Record::CallSkipped { element: key });
        }
    }

    /// Begins the element without the parts that could not be evaluated.
    fn skip_beginning(&self, step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
        if self.inputs {
            mappings::begin_without_inputs(step, key);
            due_date::begin(step, key);
        }
        if self.subscriptions {
            subscription::open_readable(step, key, node);
        }
        if self.initial_activities {
            ad_hoc::open(step, key, Vec::new());
        }
        if self.own_condition {
            subscription::pass(step, key, node);
        }
    }

    /// Completes the element without the failed part of its completion; queues it if it has not
    /// got that far.
    fn leave(&self, step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) {
        if (self.publishing || self.compensation) && !self.everything {
            elements::leave_silently(step, key, node);
        } else if self.iteration_end {
            elements::leave_iteration(step, key, node);
        } else if self.completion_condition {
            elements::leave_without_completion_condition(step, key, node);
        } else if self.outputs {
            elements::leave_without_outputs(step, key, node);
        } else if self.choice {
            elements::leave_by_default(step, key, node);
        } else {
            step.queue(key);
        }
    }
}
