//! The parts of a next step that one receiver may see and act on. `access` has the underlying
//! rules.

use super::{
    access::{Caller, Members},
    next_step::NextStep,
};
use crate::model::executable::ExecutableProcess;

/// The text of an incident for callers that may not read the definition that its message quotes.
pub const UNEXPLAINED: &str = "expected this step to continue by itself, but it failed; only \
    designers and operators may see the reason: ask one of them to repair it";

/// The parts of a next step that a caller may see and act on: everything that `progress` and
/// answers depend on, so callers with the same permissions share their frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    may: May,
    /// Whether the messages of incidents are shown, which quote the definition. Also `true` without
    /// incidents, so that the permissions of all callers are then equal.
    explained: bool,
}

/// Where a caller may act.
#[derive(Clone, Debug, PartialEq, Eq)]
enum May {
    /// Everywhere.
    Whole,
    /// For each token, then for each offer, whether the caller may act there.
    Part(Box<[bool]>),
}

impl Permissions {
    /// Unrestricted permissions.
    pub fn whole() -> Self {
        Self {
            may: May::Whole,
            explained: true,
        }
    }

    /// The permissions of a caller in a next step. The server itself may do everything.
    pub fn of(
        process: &ExecutableProcess,
        members: &Members,
        next: &NextStep,
        caller: &Caller,
    ) -> Self {
        let has_incident = next.tokens.iter().any(|token| token.incident.is_some());
        Self {
            may: May::of(process, members, next, caller),
            explained: !has_incident || caller.reads_source(),
        }
    }

    /// Whether the caller may act at the token with this index.
    pub fn token(&self, index: usize) -> bool {
        self.may.at(index)
    }

    /// Whether the caller may run the offer with this index.
    pub fn offer(&self, next: &NextStep, index: usize) -> bool {
        self.may.at(next.tokens.len() + index)
    }

    /// Whether the caller may read the messages of incidents.
    pub fn is_explained(&self) -> bool {
        self.explained
    }
}

impl May {
    fn of(
        process: &ExecutableProcess,
        members: &Members,
        next: &NextStep,
        caller: &Caller,
    ) -> Self {
        if caller.operator
            || (process.lanes().is_empty() && !next.is_assigned() && members.own(caller))
        {
            return Self::Whole;
        }
        let may = |node: &str, assignee: Option<&str>| {
            process
                .node(node)
                .is_some_and(|node| members.may_execute(process, caller, node, assignee))
        };
        let tokens = next
            .tokens
            .iter()
            .map(|token| may(&token.node, token.assignee.as_deref()));
        let offers = next
            .offers
            .iter()
            .map(|offer| may(&offer.node, offer.assignee.as_deref()));
        let part: Box<[bool]> = tokens.chain(offers).collect();
        if part.iter().all(|may| *may) {
            Self::Whole
        } else {
            Self::Part(part)
        }
    }

    fn at(&self, index: usize) -> bool {
        match self {
            Self::Whole => true,
            Self::Part(part) => part.get(index).copied().unwrap_or(false),
        }
    }
}
