//! Call activity: starts a child instance and waits for its end; the result lands under the output key.
//!
//! What arrives from the child meanwhile, and its end: `engine::subprocess`.

use super::Own;
use crate::{
    engine::{state::Call, step::Step, subprocess},
    model::{executable::ExecutableNode, ids::ElementKey},
};

pub(super) fn call<'a>(step: &mut Step<'_>, key: ElementKey, node: &'a ExecutableNode) -> Own<'a> {
    match (step.state.element(key).and_then(|element| element.call()), &node.call) {
        (Some(Call::Done), _) => Own::Done(node.outgoing.iter().collect()),
        (None, Some(called)) => {
            subprocess::start_child(step, called, key, None, true);
            Own::Waiting
        }
        _ => Own::Waiting,
    }
}
