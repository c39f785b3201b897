//! The followers of lists over many instances (tasks, instances of a process). They receive the
//! changes of the read models by each commit, once durable.
//!
//! Which entry belongs in whose list: `session::subscription::lists`. Lists are queries: a follower
//! joins first, then reads the store, so that it misses nothing.

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use utoipa::ToSchema;

use crate::journal::ReadModelChange;

/// A followed list. Called where releases run: short, and never blocking.
pub trait ListFollower: Send + Sync {
    /// The read models of an instance have changed durably.
    fn changed(&self, origin: Origin<'_>, changes: &[ReadModelChange]);

    /// A table of a tenant, other than instances, has changed durably.
    fn table_changed(&self, _tenant: &str, _topic: Topic) {}
}

/// The instance whose read models have changed.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its tenant.
    pub tenant: &'a str,
    /// The subject that started it.
    pub started_by: &'a str,
}

/// A topic that pages list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// Instances: new ones, changes of status, search values and number of incidents.
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
    /// All topics.
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

    /// The topic of a change of a read model.
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

/// All followed lists. All clones are the same.
#[derive(Clone, Default)]
pub struct Lists {
    followers: Arc<RwLock<Vec<Arc<dyn ListFollower>>>>,
}

impl Lists {
    /// Sends changes to a follower from now on.
    pub fn join(&self, follower: Arc<dyn ListFollower>) {
        self.followers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(follower);
    }

    /// Stops sending to a follower.
    pub fn leave(&self, follower: &Arc<dyn ListFollower>) {
        self.followers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|other| !Arc::ptr_eq(other, follower));
    }

    /// Notifies every follower that a table other than instances has changed.
    pub fn announce(&self, tenant: &str, topic: Topic) {
        let followers = self.followers.read();
        for follower in followers.unwrap_or_else(PoisonError::into_inner).iter() {
            follower.table_changed(tenant, topic);
        }
    }

    /// Sends a commit's changes to every follower.
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

    /// The number of followed lists.
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
