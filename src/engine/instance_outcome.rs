//! The outcome of a finished instance beyond its status, and the definition of an approval.
//!
//! Derived from the state, never stored in it. Used by `web::jobs` and the list of instances.

use super::{record::Status, state::InstanceState};
use crate::model::{
    action::{APPROVE, REJECT, Trigger},
    executable::{ExecutableAction, ExecutableNode},
};

/// The outcome of a finished instance, other than plain success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceOutcome {
    /// The last decision in an approval was a rejection.
    Rejected,
    /// Failed work was skipped.
    Skipped,
}

impl InstanceOutcome {
    /// The name in lists and in the store.
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

/// The other action of the approval that has this action.
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

/// The outcome of an instance. A rejection takes precedence over skipped work.
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
