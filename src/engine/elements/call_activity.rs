//! Call activity: starts a child instance and waits for its end; the result lands under the output
//! key.
//!
//! One that runs once per item: `multi_instance`. What arrives from the child meanwhile, and its
//! end: `engine::subprocess`.

use super::{multi_instance, own_work::Own};
use crate::{
    engine::{context::Step, quotas, record::Status, state::Call, subprocess::start},
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
    let done = match (
        step.state.element(key).and_then(|element| element.call()),
        &called.collection,
    ) {
        (Some(Call::Done), _) => true,
        (Some(Call::Awaiting(_)), _) => false,
        (Some(Call::Items(_)), _) => multi_instance::go_on(step, key, called),
        (None, Some(collection)) => multi_instance::begin(step, key, called, collection),
        (None, None) => {
            if let Err(sentence) = quotas::for_children(step, 1) {
                step.incident(key, quotas::CHILDREN, sentence, None);
                return Own::Waiting;
            }
            start::start_child(step, called, key, None, true);
            false
        }
    };
    if done {
        Own::Done(node.outgoing.iter().collect())
    } else {
        Own::Waiting
    }
}

/// Starts more of what an element with many children has still to start, whatever has become of
/// the others; on hold nothing, as `unhold` looks again.
pub(in crate::engine) fn start_more(step: &mut Step<'_>, key: ElementKey) {
    let called = step.node_of(key).and_then(|node| node.call());
    let is_active = step
        .state
        .element(key)
        .is_some_and(|element| element.is_active());
    if let (Some(called), true, Status::Started) = (called, is_active, step.state.status()) {
        multi_instance::start_open(step, key, called);
    }
}
