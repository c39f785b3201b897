//! The number of tokens that start an activity (`startQuantity`), and that leave it by each flow
//! taken (`completionQuantity`; BPMN 2.0.2, 13.3.2). The tokens may arrive by any flows: several
//! flows that enter an activity are merged before it.
//!
//! # Rationale
//!
//! **An activity for which too few tokens are left is an incident**, as a join is: while a token
//! waits for it, its scope cannot complete.

use super::{context::Step, record::Arrival, state::Scope};
use crate::model::{executable::ExecutableNode, ids::ElementKey};

/// Incident of an activity that is about to send more tokens than there is room for. A retry sends
/// them.
const LIMIT: &str = "token_limit";

/// The oldest tokens that wait before an activity, when there are enough to start it.
pub(super) fn enough(node: &ExecutableNode, waiting: &[Arrival]) -> Option<Vec<Arrival>> {
    waiting.get(..node.start_quantity).map(<[Arrival]>::to_vec)
}

/// Whether there is room for the tokens that are about to leave an activity.
pub(super) fn has_room(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
    flows: usize,
) -> bool {
    let more = node.completion_quantity * flows;
    if node.completion_quantity == 1 || more == 0 {
        return true;
    }
    let scope = step.state.element(key).and_then(|element| element.scope());
    let waiting = step.state.scope(scope).into_iter().flat_map(Scope::waiting);
    let waiting: usize = waiting.map(|(_, arrivals)| arrivals.len()).sum();
    let tokens = waiting + step.state.active_count() + more;
    // A command that has activated nothing yet has as much room as a retry.
    let is_fresh = step.budget == step.limits.elements_per_command;
    if (is_fresh || step.budget >= more) && tokens <= step.limits.active_elements {
        return true;
    }
    let sentence = format!(
        "expected room for the {more} tokens by which '{}' is left (completionQuantity), but one \
        command may activate {} more elements, and {} are active or wait in its scope, of {} that \
        may be; retry when others have completed",
        node.id,
        step.budget,
        tokens - more,
        step.limits.active_elements
    );
    step.incident(key, LIMIT, sentence, None);
    false
}
