//! The page of tasks: a frame; the lists themselves are pushed or requested.

use serde::Serialize;

use super::{
    assets::Assets,
    layout::{INSTANCES_URL, Layout, TASKS_URL},
};

/// Fields of `admin_tasks.hbs`.
#[derive(Serialize)]
pub struct TasksPage {
    #[serde(flatten)]
    layout: Layout,
    instances_url: &'static str,
    sees_all: bool,
}

impl TasksPage {
    /// The page for a user; an operator may see all tasks of the tenant.
    pub fn new(assets: &Assets, user: &str, is_operator: bool) -> Self {
        Self {
            layout: Layout::new(assets, "Tasks", "tasks", TASKS_URL, Some(user)),
            instances_url: INSTANCES_URL,
            sees_all: is_operator,
        }
    }
}
