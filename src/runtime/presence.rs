//! Presence: who has a user task open, and who is typing there. It is a soft lock: it informs and
//! prevents nothing. It is known while the connections last, and sent to those who may act at the
//! task.
//!
//! Not here: drafts (`drafts`), frames and the end of typing (`session::task_notes`).

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
    /// When it was opened there.
    pub since: Time,
}

struct AtTask {
    access: TaskAccess,
    present: Vec<Present>,
}

/// All tasks that are open.
#[derive(Default)]
pub struct Presence {
    tasks: DashMap<InstanceKey, BTreeMap<ElementKey, AtTask>>,
    /// The number of instances with open tasks; when it is 0, rows need no check.
    some: AtomicUsize,
    connections: AtomicU64,
}

impl Presence {
    /// The number of a new connection.
    pub fn new_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Records that a connection has a task open. `false` when there is no room for one more.
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
        } else if task.present.len() < limits::PRESENT_PER_TASK.get() {
            task.present.push(present);
        } else {
            Limit::PresentAtTask.refused();
            return false;
        }
        true
    }

    /// Records that a connection has stopped typing or, with `closed`, no longer has the task open.
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

    /// Who has which tasks of an instance open, for the tasks at which the caller may act.
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

    /// Removes tasks that have ended, and updates who may act at the others.
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
