//! Who may see an instance and act on it. "Does not exist" and "is not yours" are the same answer.
//!
//! Without lanes those belong to an instance who started it or its root, who hold a token of its tree, and operators.
//! Which token that is: `session::token`.

use std::sync::Arc;

use super::state::InstanceState;
use crate::model::ids::InstanceKey;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The subject of the token.
    pub subject: String,
    /// Tenant it belongs to; no caller sees another tenant.
    pub tenant: String,
    /// Whether it may see and repair every instance of the tenant.
    pub operator: bool,
    /// Set for tokens that are good for single instance trees only: the keys of their roots.
    pub trees: Option<Arc<[InstanceKey]>>,
}

/// Whether the caller may see the instance; who may see it may act on it while there are no lanes.
pub fn may_see(state: &InstanceState, caller: &Caller) -> bool {
    let head = state.head();
    if head.tenant != caller.tenant {
        return false;
    }
    match &caller.trees {
        Some(roots) => roots.iter().any(|&root| head.root == root || head.key == root),
        None => caller.operator || head.started_by == caller.subject || head.root_started_by == caller.subject,
    }
}
