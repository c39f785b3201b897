//! The outcome of a finished instance beyond its status, and the definition of an approval.
//!
//! Derived from the state, never stored in it. Used by `web::jobs` and the list of instances.

use super::{record::Status, state::InstanceState};
use crate::model::{
    action::{APPROVE, REJECT, Trigger},
    executable::{ExecutableAction, ExecutableNode},
};

/// How a finished instance went, if not just well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceOutcome {
    /// The last approval it had was a rejection.
    Rejected,
    /// Something that had failed was skipped.
    Skipped,
}

impl InstanceOutcome {
    /// Its name in lists and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Skipped => "skipped",
        }
    }

    /// The outcome with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Rejected, Self::Skipped]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// Whether a node is an approval: a user task with the manual actions `approve` and `reject`.
pub fn is_approval(node: &ExecutableNode) -> bool {
    let offers = |name| {
        node.actions
            .iter()
            .any(|action| &*action.name == name && action.trigger == Trigger::Manual)
    };
    node.user_task().is_some() && offers(APPROVE) && offers(REJECT)
}

/// Of one of the two actions of an approval, the other one.
pub(super) fn other_decision<'a>(
    node: &'a ExecutableNode,
    action: &ExecutableAction,
) -> Option<&'a ExecutableAction> {
    let other = match &*action.name {
        APPROVE => REJECT,
        REJECT => APPROVE,
        _ => return None,
    };
    node.action(other).filter(|_| is_approval(node))
}

/// The outcome on an instance. A rejection goes before what was skipped.
pub fn outcome(state: &InstanceState) -> Option<InstanceOutcome> {
    if state.status() != Status::Finished {
        return None;
    }
    match state.last_decision() {
        Some(decision) if !decision.approved => Some(InstanceOutcome::Rejected),
        _ if state.has_skipped() => Some(InstanceOutcome::Skipped),
        _ => None,
    }
}
