//! Which entries belong in a followed list, and what changed in it since it was last sent. Pure: no
//! connection, no store.
//!
//! Used by `lists`.

use std::collections::HashSet;

use crate::{
    journal::{InstanceRow, ReadModelChange, TaskAudience, TaskRow},
    limits,
    model::ids::{ElementKey, InstanceKey},
};

/// The user or the process of a list.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A user's open tasks.
    Tasks(TaskAudience),
    /// The instances of one process, or of all.
    Instances {
        /// The tenant.
        tenant: String,
        /// The process id; `None` for all.
        process: Option<String>,
    },
}

/// A line of a list that is new or has changed, or a task that has left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListChange {
    /// A task.
    Task(TaskRow),
    /// A task that is completed or no longer for this user.
    Removed(InstanceKey, ElementKey),
    /// An instance.
    Instance(InstanceRow),
}

impl ListChange {
    /// The task, if it belongs in the list.
    pub fn task(&self) -> Option<&TaskRow> {
        if let Self::Task(row) = self {
            Some(row)
        } else {
            None
        }
    }

    /// The task that left the list, if it is one.
    pub fn removed(&self) -> Option<(InstanceKey, ElementKey)> {
        if let Self::Removed(instance, element) = self {
            Some((*instance, *element))
        } else {
            None
        }
    }

    /// The instance, if it is one.
    pub fn instance(&self) -> Option<&InstanceRow> {
        if let Self::Instance(row) = self {
            Some(row)
        } else {
            None
        }
    }

    fn place(&self) -> (InstanceKey, ElementKey) {
        match self {
            Self::Task(row) => (row.instance, row.element),
            Self::Removed(instance, element) => (*instance, *element),
            // No element of an instance has the number 0, so it identifies the instance itself.
            Self::Instance(row) => (row.key, ElementKey(0)),
        }
    }
}

/// The state of a followed list.
pub struct Contents {
    subject: Subject,
    /// Tasks that the client has or is being sent; `None` until the snapshot is read.
    shown: Option<HashSet<(InstanceKey, ElementKey)>>,
    /// At most one per line of the list, in the order of their last change.
    changes: Vec<ListChange>,
    /// Too many changes came before they were sent: the list has to start over.
    lagging: bool,
}

impl Contents {
    /// A list whose snapshot is being read.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            shown: None,
            changes: Vec::new(),
            lagging: false,
        }
    }

    /// Adds those of these changes that concern the list. `true` for the first that has not been
    /// sent.
    pub fn take(&mut self, changes: &[ReadModelChange]) -> bool {
        if self.lagging {
            return false;
        }
        let before = self.changes.len();
        for change in changes {
            if let Some(change) = self.concerns(change) {
                self.changes.retain(|other| other.place() != change.place());
                self.changes.push(change);
            }
        }
        let held = self.shown.as_ref().map_or(0, HashSet::len);
        if self.changes.len() > limits::LIST_CHANGES
            || held > limits::TASKS_LISTED + limits::LIST_CHANGES
        {
            self.lagging = true;
            self.changes.truncate(1);
        }
        before == 0 && !self.changes.is_empty()
    }

    fn concerns(&mut self, change: &ReadModelChange) -> Option<ListChange> {
        match (&self.subject, change) {
            (Subject::Tasks(audience), ReadModelChange::TaskOpened(row)) => {
                if audience.includes(row) {
                    if let Some(shown) = &mut self.shown {
                        shown.insert((row.instance, row.element));
                    }
                    return Some(ListChange::Task(row.clone()));
                }
                self.leaves(row.instance, row.element)
            }
            (Subject::Tasks(_), ReadModelChange::TaskClosed(instance, element)) => {
                self.leaves(*instance, *element)
            }
            (Subject::Instances { tenant, process }, ReadModelChange::Instance(row, _)) => {
                let fits = row.tenant == *tenant
                    && process
                        .as_ref()
                        .is_none_or(|process| row.process == *process);
                fits.then(|| ListChange::Instance(row.clone()))
            }
            _ => None,
        }
    }

    /// Before the snapshot its contents are not known, so every task that leaves is kept.
    fn leaves(&mut self, instance: InstanceKey, element: ElementKey) -> Option<ListChange> {
        let was_shown = self
            .shown
            .as_mut()
            .is_none_or(|shown| shown.remove(&(instance, element)));
        was_shown.then_some(ListChange::Removed(instance, element))
    }

    /// The snapshot was sent; changes since it was requested apply on top of it.
    pub fn begin(&mut self, reported: &[ListChange]) {
        let mut shown: HashSet<_> = reported.iter().map(ListChange::place).collect();
        self.changes.retain(|change| match change {
            ListChange::Removed(instance, element) => shown.remove(&(*instance, *element)),
            change => {
                // A change that the snapshot already contains is not sent again.
                let new = !reported.contains(change);
                shown.insert(change.place());
                new
            }
        });
        self.shown = Some(shown);
    }

    /// What has not been sent yet; `None` when the list has to start over.
    pub fn drain(&mut self) -> Option<Vec<ListChange>> {
        if self.lagging {
            return None;
        }
        Some(std::mem::take(&mut self.changes))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::ids::Time;

    fn task(number: u64, assignee: Option<&str>) -> TaskRow {
        let text = |text: &str| text.to_owned();
        TaskRow {
            instance: InstanceKey(Uuid::from_u128(1)),
            element: ElementKey(number),
            tenant: text("default"),
            process: text("p"),
            business_key: None,
            node: text("n"),
            name: text("N"),
            lane: None,
            assignee: assignee.map(text),
            candidates: Some(vec![text("clerk")]),
            started_by: text("ada"),
            root_started_by: text("ada"),
            created_at: Time(1),
            due_at: None,
            reminded_at: None,
            loop_counter: None,
        }
    }

    fn clerk() -> Contents {
        let (tenant, subject) = ("default".to_owned(), "bob".to_owned());
        Contents::new(Subject::Tasks(TaskAudience {
            tenant,
            subject,
            roles: vec!["clerk".to_owned()],
        }))
    }

    fn opened(number: u64, assignee: Option<&str>) -> ReadModelChange {
        ReadModelChange::TaskOpened(task(number, assignee))
    }

    fn reported(contents: &mut Contents) -> Vec<String> {
        let line = |change: ListChange| match change {
            ListChange::Task(row) => {
                format!(
                    "{}{}",
                    row.element.0,
                    row.assignee
                        .map(|user| format!(" {user}"))
                        .unwrap_or_default()
                )
            }
            ListChange::Removed(_, element) => format!("-{}", element.0),
            ListChange::Instance(row) => row.status,
        };
        contents
            .drain()
            .expect("it does not lag")
            .into_iter()
            .map(line)
            .collect()
    }

    #[test]
    fn a_task_is_added_reassigned_and_returned() {
        let mut contents = clerk();
        contents.begin(&[]);
        assert!(contents.take(&[opened(1, None)]));
        assert_eq!(reported(&mut contents), ["1"]);
        assert!(contents.take(&[opened(1, Some("ben"))]));
        assert_eq!(reported(&mut contents), ["-1"]);
        assert!(!contents.take(&[ReadModelChange::TaskClosed(
            InstanceKey(Uuid::from_u128(1)),
            ElementKey(1)
        )]));
        assert!(contents.take(&[opened(1, Some("bob"))]));
        assert!(!contents.take(&[opened(2, None)]));
        assert_eq!(reported(&mut contents), ["1 bob", "2"]);
    }

    #[test]
    fn changes_during_the_snapshot_are_applied_after_it() {
        let mut contents = clerk();
        let closed = |number| {
            ReadModelChange::TaskClosed(InstanceKey(Uuid::from_u128(1)), ElementKey(number))
        };
        contents.take(&[
            opened(1, None),
            closed(2),
            opened(3, Some("bob")),
            closed(4),
        ]);
        contents.begin(&[task(1, None), task(2, None), task(3, None)].map(ListChange::Task));
        assert_eq!(reported(&mut contents), ["-2", "3 bob"]);
        contents.take(&[closed(4), closed(1)]);
        assert_eq!(reported(&mut contents), ["-1"]);
    }

    #[test]
    fn a_list_that_grows_long_starts_over_with_its_newest_lines() {
        let mut contents = clerk();
        contents.begin(&[]);
        let long = (limits::TASKS_LISTED + limits::LIST_CHANGES) as u64;
        for number in 0..long {
            assert!(contents.take(&[opened(number, None)]));
            assert!(contents.drain().is_some());
        }
        assert!(
            contents.take(&[opened(long, None)]),
            "it says that it has to start over"
        );
        assert!(contents.drain().is_none());
    }

    #[test]
    fn too_much_unsent_starts_over() {
        let mut contents = clerk();
        contents.begin(&[]);
        for number in 0..=limits::LIST_CHANGES as u64 {
            contents.take(&[opened(number, None)]);
        }
        assert!(contents.drain().is_none());
    }
}
