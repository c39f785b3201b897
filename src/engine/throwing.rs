//! One way to throw: an error climbs the scopes, from the inside out, until a boundary event catches
//! it; the specific code goes before the catch-all. What nothing catches fails the instance.

use super::{context::Step, elements::boundary_event};
use crate::model::ids::ElementKey;

/// An error is thrown in this scope.
pub(super) fn throw_error(step: &mut Step<'_>, scope: Option<ElementKey>, code: &str) {
    if !caught(step, scope, code) {
        step.fail(code);
    }
}

/// Lets the subprocesses around a scope, itself first, catch an error.
pub(super) fn caught(step: &mut Step<'_>, scope: Option<ElementKey>, code: &str) -> bool {
    let mut around = scope;
    while let Some(key) = around {
        // Read before: it is gone once it has caught.
        around = step.state.element(key).and_then(|element| element.scope());
        if boundary_event::catch(step, key, Some(code)) {
            return true;
        }
    }
    false
}
