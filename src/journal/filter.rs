//! Filters and cursors of lists of tasks, incidents and timers. Not here: those of instances
//! (`listing`).

use super::listing::{IncidentRow, TaskAudience, TaskRow, TimerRow};
use crate::model::ids::{ElementKey, InstanceKey, Time};

/// Whose waiting user tasks a list shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TaskScope {
    /// Those of one user.
    Of(TaskAudience),
    /// All of this tenant.
    All(String),
}

/// Which waiting user tasks a list shows: those that match every field that is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskFilter {
    /// The users of the tasks.
    pub scope: TaskScope,
    /// Of this definition id.
    pub process: Option<String>,
    /// Of this instance.
    pub instance: Option<InstanceKey>,
    /// Of instances with this business key.
    pub business_key: Option<String>,
    /// With this assignment.
    pub assignee: Option<Assignee>,
}

/// The assignment of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assignee {
    /// Not assigned.
    Unassigned,
    /// Assigned to this subject.
    User(String),
}

impl TaskFilter {
    /// A filter without further conditions.
    pub fn all_of(scope: TaskScope) -> Self {
        Self {
            scope,
            process: None,
            instance: None,
            business_key: None,
            assignee: None,
        }
    }

    /// Whether a task belongs in the list.
    pub fn accepts(&self, task: &TaskRow) -> bool {
        let in_scope = match &self.scope {
            TaskScope::Of(audience) => audience.includes(task),
            TaskScope::All(tenant) => task.tenant == *tenant,
        };
        in_scope
            && self
                .process
                .as_ref()
                .is_none_or(|process| task.process == *process)
            && self
                .instance
                .is_none_or(|instance| task.instance == instance)
            && (self.business_key.is_none() || self.business_key == task.business_key)
            && match &self.assignee {
                None => true,
                Some(Assignee::Unassigned) => task.assignee.is_none(),
                Some(Assignee::User(user)) => task.assignee.as_ref() == Some(user),
            }
    }
}

/// Which incidents or timers a list shows: those that match every field that is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceFilter {
    /// Of this tenant.
    pub tenant: String,
    /// In this instance.
    pub instance: Option<InstanceKey>,
    /// Of this definition id.
    pub process: Option<String>,
}

impl PlaceFilter {
    /// Whether something of this tenant, instance and process belongs in the list.
    pub fn accepts(&self, tenant: &str, instance: InstanceKey, process: &str) -> bool {
        self.tenant == tenant
            && self.instance.is_none_or(|wanted| wanted == instance)
            && self.process.as_ref().is_none_or(|wanted| wanted == process)
    }
}

/// Where a list of tasks or incidents continues: after the row with these values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ElementCursor {
    /// When the task of the last row was activated, or its incident was raised.
    pub at: Time,
    /// Its instance.
    pub instance: InstanceKey,
    /// Its element.
    pub element: ElementKey,
}

impl TaskRow {
    /// The cursor that continues after this row.
    pub fn cursor(&self) -> ElementCursor {
        ElementCursor {
            at: self.created_at,
            instance: self.instance,
            element: self.element,
        }
    }
}

impl IncidentRow {
    /// The cursor that continues after this row.
    pub fn cursor(&self) -> ElementCursor {
        ElementCursor {
            at: self.raised_at,
            instance: self.instance,
            element: self.element,
        }
    }
}

/// A timer in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedTimer {
    /// The timer.
    pub timer: TimerRow,
    /// The id of its instance's definition.
    pub process: String,
}
