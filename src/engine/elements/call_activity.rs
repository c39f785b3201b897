//! Call activity: starts a child instance and waits for its end. The result is merged under the
//! output key.
//!
//! `engine::subprocess` handles the messages and the end of the child.

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
