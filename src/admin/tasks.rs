//! The page of a user's tasks: a frame, as the list itself is pushed.

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
}

impl TasksPage {
    /// The page for a user.
    pub fn new(assets: &Assets, user: &str) -> Self {
        Self {
            layout: Layout::new(assets, "My tasks", "tasks", TASKS_URL, Some(user)),
            instances_url: INSTANCES_URL,
        }
    }
}
