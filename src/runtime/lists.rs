//! Who follows lists over many instances: tasks, instances of a process. Each commit's changes of
//! the read models are shown to them, once durable.
//!
//! What belongs into whose list: `session::subscription::lists`. Lists are queries: a follower joins first, then
//! reads the store, so that it misses nothing.

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use utoipa::ToSchema;

use crate::journal::ReadModelChange;

/// Somebody's list. Called on the release thread: short, never blocking.
pub trait ListFollower: Send + Sync {
    /// Read models of an instance have changed, durably.
    fn changed(&self, origin: Origin<'_>, changes: &[ReadModelChange]);

    /// What a tenant has beside instances has changed, durably.
    fn table_changed(&self, _tenant: &str, _topic: Topic) {}
}

/// The instance whose read models change.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its tenant.
    pub tenant: &'a str,
    /// The subject that started it.
    pub started_by: &'a str,
}

/// What pages list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// Instances: new, another status, a search value, an incident more or less.
    Instances,
    /// User tasks.
    Tasks,
    /// Incidents.
    Incidents,
    /// Timers of instances.
    Timers,
    /// Calls to other systems.
    HttpCalls,
    /// Versions of processes.
    Definitions,
    /// Schedules.
    Schedules,
    /// Users.
    Users,
    /// Open connections.
    Connections,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Instances,
        Self::Tasks,
        Self::Incidents,
        Self::Timers,
        Self::HttpCalls,
        Self::Definitions,
        Self::Schedules,
        Self::Users,
        Self::Connections,
    ];

    /// What a change of a read model is about.
    pub fn of(change: &ReadModelChange) -> Self {
        match change {
            ReadModelChange::Instance(..)
            | ReadModelChange::Job(_)
            | ReadModelChange::SearchedSet(_)
            | ReadModelChange::SearchedCleared(..) => Self::Instances,
            ReadModelChange::TaskOpened(_) | ReadModelChange::TaskClosed(..) => Self::Tasks,
            ReadModelChange::TimerSet(..) | ReadModelChange::TimerCleared(_) => Self::Timers,
            ReadModelChange::CallPlaced(_) | ReadModelChange::CallForgotten(..) => Self::HttpCalls,
            ReadModelChange::IncidentRaised(_) | ReadModelChange::IncidentResolved(..) => {
                Self::Incidents
            }
        }
    }
}

/// All lists that are followed. Clones are the same.
#[derive(Clone, Default)]
pub struct Lists {
    followers: Arc<RwLock<Vec<Arc<dyn ListFollower>>>>,
}

impl Lists {
    /// Shows what changes from here on to a follower.
    pub fn join(&self, follower: Arc<dyn ListFollower>) {
        self.followers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(follower);
    }

    /// Forgets a follower.
    pub fn leave(&self, follower: &Arc<dyn ListFollower>) {
        self.followers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|other| !Arc::ptr_eq(other, follower));
    }

    /// Tells every follower that something beside instances has changed.
    pub fn announce(&self, tenant: &str, topic: Topic) {
        let followers = self.followers.read();
        for follower in followers.unwrap_or_else(PoisonError::into_inner).iter() {
            follower.table_changed(tenant, topic);
        }
    }

    /// Shows a commit's changes to every follower.
    pub(super) fn publish(&self, origin: Origin<'_>, changes: &[ReadModelChange]) {
        if changes.is_empty() {
            return;
        }
        for follower in self
            .followers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            follower.changed(origin, changes);
        }
    }

    /// How many lists are followed.
    pub fn len(&self) -> usize {
        self.followers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether no list is followed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
