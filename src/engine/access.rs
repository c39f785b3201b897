//! The permissions of users in an instance: who may see it, and who may act where. An instance that
//! does not exist and one that the caller may not see give the same response.
//!
//! Owners are the users who started the instance or its root, and holders of a token of its tree.
//! Participants are users who were ever assigned one of its elements: they may follow the instance,
//! and act at the elements assigned to them. Lanes add roles: a role named by any lane may follow
//! the instance. The role list of a node's lane decides who may act at the node; without a list,
//! every owner may. Operators may do everything. `session::auth::token` reads the token of a
//! client; docs/process-model.md, "Lanes", describes the rules for modellers.
//!
//! # Rationale
//!
//! **An assignee acts at the assigned elements, and only follows the rest.** The documentation of
//! the model counts assignees among the users who belong to an instance; it would be a surprise if
//! a user to whom one task was assigned could act everywhere.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use super::{record::created::Created, trace::TraceContext};
use crate::{
    limits::{CallerKind, Taker, network},
    model::{
        definition::Lane,
        executable::{ExecutableNode, ExecutableProcess},
        ids::InstanceKey,
    },
};

/// The sender of a command or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The subject of the token.
    pub subject: String,
    /// The tenant of the subject; no caller sees another tenant.
    pub tenant: String,
    /// The roles that the token grants; none for a token of a tree.
    pub roles: Arc<[String]>,
    /// Whether it may see and repair every instance of the tenant.
    pub operator: bool,
    /// The roots of the only trees for which the token is valid; `None` for a user's token.
    pub trees: Option<Arc<[InstanceKey]>>,
    /// The client's address, for the audit log. No permission depends on it.
    pub address: Option<IpAddr>,
    /// The trace of the command. No permission depends on it.
    pub trace: Option<Arc<TraceContext>>,
}

/// Roles of users who run the server or its processes. They have a share of their own in shared
/// resources.
const STAFF: [&str; 4] = ["operator", "server-operator", "designer", "admin"];

impl Caller {
    /// The kind of caller, which decides the share in shared resources.
    pub fn kind(&self) -> CallerKind {
        if self.trees.is_some() {
            CallerKind::Anonymous
        } else if self.operator || self.roles.iter().any(|role| STAFF.contains(&&**role)) {
            CallerKind::Staff
        } else {
            CallerKind::User
        }
    }

    /// The caller that takes from shared pots, and has its turns in shared queues: a user, or the
    /// network of a client without a user's token.
    pub fn taker(&self) -> Taker {
        match (&self.trees, self.operator) {
            (Some(_), _) => Taker::Stranger(self.address.map(network)),
            (None, true) => Taker::Operator(self.user()),
            (None, false) => Taker::User(self.user()),
        }
    }

    /// The tenant and subject. The tenant is quoted, because it may contain any character.
    pub fn user(&self) -> String {
        format!("{:?}/{}", self.tenant, self.subject)
    }

    /// Whether it may read the source of definitions, and errors in their expressions: designers
    /// and operators.
    pub fn reads_source(&self) -> bool {
        let edits = |role: &String| role == "designer" || role == "admin";
        self.operator || (self.trees.is_none() && self.roles.iter().any(edits))
    }

    /// Whether the caller has one of these roles.
    pub fn has_any(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// A right that a lane can restrict to roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Run actions, claim, retry, skip.
    Execute,
    /// Assign a user task to a user.
    Assign,
    /// Put an instance on hold, and terminate it.
    Hold,
}

/// The users who belong to an instance. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// The first record: tenant, starters and position in the tree.
    pub head: Arc<Created>,
    /// Subjects to which one of its elements is or was assigned.
    pub participants: Arc<BTreeSet<Arc<str>>>,
}

impl Members {
    /// Whether the caller owns the instance.
    pub(super) fn own(&self, caller: &Caller) -> bool {
        let head = &*self.head;
        match &caller.trees {
            Some(roots) => roots
                .iter()
                .any(|&root| head.root() == root || head.key == root),
            None => head.started_by == caller.subject || head.root_started_by() == &*caller.subject,
        }
    }

    /// Whether the caller belongs to the instance, as owner or participant.
    pub fn include(&self, caller: &Caller) -> bool {
        self.own(caller) || (caller.trees.is_none() && self.participants.contains(&*caller.subject))
    }

    /// Whether the caller may see the instance at all.
    pub fn may_see(&self, process: &ExecutableProcess, caller: &Caller) -> bool {
        self.head.tenant == caller.tenant
            && (caller.operator || self.include(caller) || watches(process, caller))
    }

    /// Whether the caller has a right at a node, without regard to its assignee.
    pub fn may(
        &self,
        process: &ExecutableProcess,
        caller: &Caller,
        right: Right,
        node: &ExecutableNode,
    ) -> bool {
        caller.operator
            || match process.lane_of(node).and_then(|lane| roles(lane, right)) {
                Some(roles) => caller.has_any(roles),
                None => self.own(caller),
            }
    }

    /// Whether the caller may run actions at a node. At an assigned node, only the assignee and
    /// operators may.
    pub fn may_execute(
        &self,
        process: &ExecutableProcess,
        caller: &Caller,
        node: &ExecutableNode,
        assignee: Option<&str>,
    ) -> bool {
        match assignee {
            Some(assignee) => caller.operator || *assignee == *caller.subject,
            None => self.may(process, caller, Right::Execute, node),
        }
    }

    /// Whether the caller may act anywhere in the instance, and not only follow it. Assignments of
    /// single elements are checked in addition.
    pub fn may_act(&self, process: &ExecutableProcess, caller: &Caller) -> bool {
        caller.operator
            || self.own(caller)
            || process
                .lanes()
                .iter()
                .filter_map(|lane| lane.execute.as_deref())
                .any(|roles| caller.has_any(roles))
    }
}

/// Whether the caller may start an instance at this start event. Everyone may, unless its lane
/// names roles.
pub fn may_start(
    process: &ExecutableProcess,
    caller: &Caller,
    start_event: &ExecutableNode,
) -> bool {
    let roles = process
        .lane_of(start_event)
        .and_then(|lane| lane.execute.as_deref());
    caller.operator || roles.is_none_or(|roles| caller.has_any(roles))
}

/// A role with any right may follow the instance, so all lists of all lanes count.
fn watches(process: &ExecutableProcess, caller: &Caller) -> bool {
    let lists = process
        .lanes()
        .iter()
        .flat_map(|lane| [&lane.view, &lane.execute, &lane.assign, &lane.hold]);
    lists.flatten().any(|roles| caller.has_any(roles))
}

fn roles(lane: &Lane, right: Right) -> Option<&[String]> {
    match right {
        Right::Execute => lane.execute.as_deref(),
        Right::Assign => lane.assign.as_deref(),
        Right::Hold => lane.hold.as_deref(),
    }
}
