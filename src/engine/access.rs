//! Who may see an instance and who may do what in it. "Does not exist" and "is not yours" are the
//! same answer.
//!
//! Owners are who started the instance or its root and who holds a token of its tree. Participants
//! are who was ever assigned one of its elements: they may continue watching, and act at what is
//! theirs. Lanes name roles besides: a role that a lane names anywhere may watch; a role list of
//! the lane a node lies in decides who may act there, and without a list every owner may. Operators
//! may do everything. Which token a client shows: `session::auth::token`. What the rules mean to a
//! modeller: docs/process-model.md, "Lanes".
//!
//! # Why so
//!
//! **An assignee acts at what is assigned, and only watches the rest.** The model page counts
//! assignees among those who belong to an instance; letting one who was lent a task act
//! everywhere would be a surprise.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use super::{record::created::Created, trace::TraceContext};
use crate::{
    limits::CallerKind,
    model::{
        definition::Lane,
        executable::{ExecutableNode, ExecutableProcess},
        ids::InstanceKey,
    },
};

/// How the subject begins that an instance of a schedule is started by; no token speaks for such a
/// one, so it has no owner.
pub const SCHEDULED: &str = "schedule:";

/// The same for an instance that a message or signal started.
pub const BY_EVENT: &str = "event:";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The subject of the token.
    pub subject: String,
    /// Tenant it belongs to; no caller sees another tenant.
    pub tenant: String,
    /// Roles the token grants; none for a token of a tree.
    pub roles: Arc<[String]>,
    /// Whether it may see and repair every instance of the tenant.
    pub operator: bool,
    /// Set for tokens that are good for single instance trees only: the keys of their roots.
    pub trees: Option<Arc<[InstanceKey]>>,
    /// Where it asks from, for the audit log; decides nothing.
    pub address: Option<IpAddr>,
    /// The trace its command belongs to; decides nothing.
    pub trace: Option<Arc<TraceContext>>,
}

/// Roles that run the server or what it runs: with a share of their own of what all use.
const STAFF: [&str; 4] = ["operator", "server-operator", "designer", "admin"];

impl Caller {
    /// What share of what all use is the caller's.
    pub fn kind(&self) -> CallerKind {
        if self.trees.is_some() {
            CallerKind::Anonymous
        } else if self.operator || self.roles.iter().any(|role| STAFF.contains(&&**role)) {
            CallerKind::Staff
        } else {
            CallerKind::User
        }
    }

    /// Whether it may see the source of definitions, and errors in its expressions:
    /// designers and operators.
    pub fn reads_source(&self) -> bool {
        let edits = |role: &String| role == "designer" || role == "admin";
        self.operator || (self.trees.is_none() && self.roles.iter().any(edits))
    }

    /// Whether one of these roles is granted.
    pub fn has_any(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// What a lane may restrict to roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Run actions, claim, retry, skip.
    Execute,
    /// Give a user task to somebody.
    Assign,
    /// Hold an instance, and end it.
    Hold,
}

/// Those who belong to an instance. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// Birth certificate: tenant, starters and place in the tree.
    pub head: Arc<Created>,
    /// Subjects that are or were assigned one of its elements.
    pub participants: Arc<BTreeSet<Arc<str>>>,
}

impl Members {
    /// Whether the instance is the caller's.
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

    /// Whether the caller may do something at a node, whoever it is assigned to.
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

    /// Whether the caller may run actions at a node: with an assignee only the assignee, and
    /// operators, may.
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

    /// Whether the caller may act somewhere in the instance, and not only watch. Whose its elements
    /// are decides besides.
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

/// Whether the caller may start an instance at this start event: anybody may, unless its lane names
/// roles.
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

/// Who may do something may also watch, so every list of every lane counts.
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
