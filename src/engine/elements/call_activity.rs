//! Call activity: starts a child instance and waits for its end; the result lands under the output
//! key.
//!
//! What arrives from the child meanwhile, and its end: `engine::subprocess`.

use super::own_work::Own;
use crate::{
    engine::{context::Step, quotas, state::Call, subprocess::start},
    model::{
        executable::{ExecutableNode, Subprocess},
        ids::ElementKey,
    },
};

pub(super) fn call<'a>(
    step: &mut Step<'_>,
    key: ElementKey,
    node: &'a ExecutableNode,
    called: &Subprocess,
) -> Own<'a> {
    match step.state.element(key).and_then(|element| element.call()) {
        Some(Call::Done) => return Own::Done(node.outgoing.iter().collect()),
        Some(Call::Awaiting(_)) => {}
        None => match quotas::for_children(step, 1) {
            Ok(()) => start::start_child(step, called, key, None, true),
            Err(sentence) => step.incident(key, quotas::CHILDREN, sentence, None),
        },
    }
    Own::Waiting
}
