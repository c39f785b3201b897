//! Presence: who has a user task open, and who is typing there. A soft lock: it says so and hinders
//! nobody. Known while the connections last, and sent to those who may act at the task.
//!
//! Not here: drafts (`drafts`), frames and when somebody types no longer (`session::task_notes`).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;

use super::{instance_request::Committed, task_access::TaskAccess};
use crate::{
    engine::access::Caller,
    limits::{self, Limit},
    model::ids::{ElementKey, InstanceKey, Time},
};

/// A connection that has a task open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The connection.
    pub connection: u64,
    /// Its user.
    pub user: Arc<str>,
    /// Whether the user types.
    pub typing: bool,
    /// Since when it is open there.
    pub since: Time,
}

struct AtTask {
    access: TaskAccess,
    present: Vec<Present>,
}

/// All tasks that somebody has open.
#[derive(Default)]
pub struct Presence {
    tasks: DashMap<InstanceKey, BTreeMap<ElementKey, AtTask>>,
    /// How many instances have some, so that most rows look no further.
    some: AtomicUsize,
    connections: AtomicU64,
}

impl Presence {
    /// Names a connection.
    pub fn new_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// A connection has a task open. `false` when there is no room for one more.
    pub fn put(&self, access: TaskAccess, present: Present) -> bool {
        let (instance, element) = (access.instance, access.element);
        self.some.fetch_add(1, Ordering::AcqRel);
        let mut of_instance = self.tasks.entry(instance).or_default();
        let task = of_instance.entry(element).or_insert_with(|| AtTask {
            access: access.clone(),
            present: Vec::new(),
        });
        task.access = access;
        let mut known = task.present.iter_mut();
        if let Some(known) = known.find(|known| known.connection == present.connection) {
            known.typing = present.typing;
        } else if task.present.len() < limits::PRESENT_AT_TASK {
            task.present.push(present);
        } else {
            Limit::PresentAtTask.refused();
            return false;
        }
        true
    }

    /// A connection types no longer, or (with `closed`) has the task open no longer.
    pub fn calm(&self, instance: InstanceKey, element: ElementKey, connection: u64, closed: bool) {
        let Some(mut of_instance) = self.tasks.get_mut(&instance) else {
            return;
        };
        if let Some(task) = of_instance.get_mut(&element) {
            if closed {
                task.present
                    .retain(|present| present.connection != connection);
            }
            for present in &mut task.present {
                present.typing &= present.connection != connection;
            }
        }
        of_instance.retain(|_, task| !task.present.is_empty());
        drop(of_instance);
        self.tasks.remove_if(&instance, |_, tasks| tasks.is_empty());
    }

    /// Who has which task of an instance open, of those tasks at which the caller may act.
    pub fn seen_by(
        &self,
        instance: InstanceKey,
        caller: &Caller,
    ) -> Vec<(ElementKey, Vec<Present>)> {
        if self.some.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let Some(of_instance) = self.tasks.get(&instance) else {
            return Vec::new();
        };
        let open_to = of_instance
            .values()
            .filter(|task| task.access.admits(caller));
        open_to
            .map(|task| (task.access.element, task.present.clone()))
            .collect()
    }

    /// Forgets who had a task open that has ended, and notes who may act at the others.
    pub(super) fn follow(&self, committed: &Committed) {
        if self.some.load(Ordering::Acquire) == 0 {
            return;
        }
        if let Some(mut of_instance) = self.tasks.get_mut(&committed.instance) {
            of_instance.retain(|_, task| task.access.follow(committed));
        }
        self.tasks
            .remove_if(&committed.instance, |_, tasks| tasks.is_empty());
    }
}
