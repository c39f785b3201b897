//! Jobs: instances of processes with a number, as listed in the jobs API.
//!
//! A row is written when a job starts and when its status changes; other instances have no row, and
//! so no cost. The meaning of the statuses: `engine::job_status`; the API: `web::jobs`.
//!
//! # Rationale
//!
//! **Jobs have a table of their own.** The dashboard orders them by process, status and time of the
//! status; an index for each order would make every start more expensive. Only instances of
//! processes with a number have a row there.

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    engine::job_status::JobStatus,
    model::ids::{InstanceKey, Time},
};

/// One job. `status` and `status_at` change; the other columns do not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobRow {
    /// Its instance.
    pub instance: InstanceKey,
    /// Its tenant.
    pub tenant: String,
    /// The id of its definition.
    pub process: String,
    /// The subject that started it.
    pub started_by: String,
    /// When it started.
    pub created_at: Time,
    /// Its status.
    pub status: JobStatus,
    /// Since when it has the status.
    pub status_at: Time,
}

/// Which jobs a list shows: those that match every field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobFilter {
    /// Of this tenant.
    pub tenant: String,
    /// Started by this subject; if absent, by anybody.
    pub started_by: Option<String>,
    /// Of these processes, in the order of [`JobOrder::Process`].
    pub processes: Vec<String>,
    /// With one of these statuses.
    pub statuses: Vec<JobStatus>,
    /// With a status since this time or later.
    pub from: Time,
    /// With a status since this time or earlier.
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
    /// By process, in the order of the filter; within a process by status, newest first.
    Process,
    /// By status, in the order of the filter; within a status by process, newest first.
    Status,
}

impl JobFilter {
    /// Whether a job belongs in the list.
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

    /// Processes with statuses, in the order in which their jobs are listed; empty for an order by
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

    /// Sorts the jobs of a list.
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
