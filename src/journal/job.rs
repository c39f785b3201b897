//! Jobs: instances of processes with a number, as lists in the jobs' interface show them.
//!
//! A row is written when a job starts and when its status changes; other instances have none, so
//! they pay nothing. What the statuses mean: `engine::job_status`; who asks: `web::jobs`.
//!
//! # Why so
//!
//! **Jobs have a table of their own.** The dashboard's orders are by process, status and time
//! of the status; an index for each would cost every start. Only instances of processes with a
//! number have a row there.

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    engine::job_status::JobStatus,
    model::ids::{InstanceKey, Time},
};

/// One job. `status` and `status_at` change; the rest stays as first written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobRow {
    /// Its instance.
    pub instance: InstanceKey,
    /// Whose it is.
    pub tenant: String,
    /// The id of its definition.
    pub process: String,
    /// The subject that started it.
    pub started_by: String,
    /// When it started.
    pub created_at: Time,
    /// Where it is.
    pub status: JobStatus,
    /// Since when.
    pub status_at: Time,
}

/// Which jobs a list shows: those that agree with every field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobFilter {
    /// Of this tenant.
    pub tenant: String,
    /// Started by this subject; by anybody without.
    pub started_by: Option<String>,
    /// Of these processes. Their order is that of [`JobOrder::Process`].
    pub processes: Vec<String>,
    /// With one of these statuses.
    pub statuses: Vec<JobStatus>,
    /// In their status since this time or later.
    pub from: Time,
    /// In their status since this time or earlier.
    pub to: Time,
}

/// The order of a list of jobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobOrder {
    /// By the time of their status.
    StatusAt {
        /// Newest first.
        descending: bool,
    },
    /// By their processes, in the order that the filter names them; within each by status, newest
    /// first.
    Process,
    /// By their statuses, in the order that the filter names them; within each by process, newest
    /// first.
    Status,
}

impl JobFilter {
    /// Whether a job belongs into the list.
    pub fn accepts(&self, job: &JobRow) -> bool {
        job.tenant == self.tenant
            && self
                .started_by
                .as_ref()
                .is_none_or(|subject| *subject == job.started_by)
            && self.processes.contains(&job.process)
            && self.statuses.contains(&job.status)
            && (self.from..=self.to).contains(&job.status_at)
    }

    /// Processes with statuses, in the order in which their jobs are listed; none for an order by
    /// time.
    pub fn groups(&self, order: JobOrder) -> Vec<(&str, JobStatus)> {
        let of_process = |process| self.statuses.iter().map(move |status| (process, *status));
        let of_status = |status| {
            self.processes
                .iter()
                .map(move |process| (process.as_str(), status))
        };
        match order {
            JobOrder::StatusAt { .. } => Vec::new(),
            JobOrder::Process => self
                .processes
                .iter()
                .map(String::as_str)
                .flat_map(of_process)
                .collect(),
            JobOrder::Status => self.statuses.iter().copied().flat_map(of_status).collect(),
        }
    }

    /// Puts jobs of the list into its order.
    pub fn sort(&self, order: JobOrder, jobs: &mut [&JobRow]) {
        let time = |job: &JobRow| (job.status_at, job.created_at, job.instance);
        let places: HashMap<(&str, JobStatus), usize> =
            self.groups(order).into_iter().zip(0..).collect();
        let place = |job: &JobRow| places.get(&(job.process.as_str(), job.status)).copied();
        match order {
            JobOrder::StatusAt { descending: false } => jobs.sort_by_key(|job| time(job)),
            JobOrder::StatusAt { descending: true } => jobs.sort_by_key(|job| Reverse(time(job))),
            JobOrder::Process | JobOrder::Status => {
                jobs.sort_by_key(|job| (place(job), Reverse(time(job))))
            }
        }
    }
}
