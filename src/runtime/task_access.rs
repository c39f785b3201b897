//! Who may work at a user task, according to its instance's latest row; used by presence.

use std::sync::Arc;

use super::{definitions::DeployedProcess, instance_request::Committed};
use crate::{
    engine::{
        InstanceState,
        access::{Caller, Members},
    },
    model::ids::{ElementKey, InstanceKey},
};

/// A user task, with those who may work at it.
#[derive(Clone, Debug)]
pub struct TaskAccess {
    /// Its instance.
    pub instance: InstanceKey,
    /// Its element.
    pub element: ElementKey,
    process: Arc<DeployedProcess>,
    members: Members,
    node: Arc<str>,
    assignee: Option<Arc<str>>,
}

impl TaskAccess {
    /// The access to an active user task.
    pub(super) fn of(
        state: &InstanceState,
        process: Arc<DeployedProcess>,
        element: ElementKey,
    ) -> Self {
        let task = state.element(element);
        Self {
            instance: state.key(),
            element,
            process,
            members: state.members(),
            node: task.map_or_else(|| "".into(), |task| task.node().clone()),
            assignee: task.and_then(|task| task.assignee().cloned()),
        }
    }

    /// Updates the access after this row; `false` when the task has ended.
    pub(super) fn follow(&mut self, committed: &Committed) -> bool {
        let mut tokens = committed.next.tokens.iter();
        let Some(token) = tokens.find(|token| token.element == self.element) else {
            return false;
        };
        self.members = committed.members.clone();
        self.assignee = token.assignee.clone();
        true
    }

    /// Whether the caller may see the instance, and act at this task.
    pub(super) fn admits(&self, caller: &Caller) -> bool {
        let process = &self.process.executable;
        let assignee = self.assignee.as_deref();
        process.node(&self.node).is_some_and(|node| {
            self.members.may_see(process, caller)
                && self.members.may_execute(process, caller, node, assignee)
        })
    }
}
