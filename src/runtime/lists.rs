//! Who follows lists over many instances: tasks, instances of a process. Each commit's changes of
//! the read models are shown to them, once durable.
//!
//! What belongs into whose list: `session::subscription::lists`. Lists are queries: a follower joins first, then
//! reads the store, so that it misses nothing.

use std::sync::{Arc, PoisonError, RwLock};

use crate::journal::ReadModelChange;

/// Somebody's list. Called on the release thread: short, never blocking.
pub trait ListFollower: Send + Sync {
    /// Read models have changed, durably.
    fn changed(&self, changes: &[ReadModelChange]);
}

/// All lists that are followed.
#[derive(Default)]
pub struct Lists {
    followers: RwLock<Vec<Arc<dyn ListFollower>>>,
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

    /// Shows a commit's changes to every follower.
    pub(super) fn publish(&self, changes: &[ReadModelChange]) {
        for follower in self
            .followers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            follower.changed(changes);
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
