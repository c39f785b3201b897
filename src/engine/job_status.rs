//! The statuses of jobs, in the words of the jobs' interface. Jobs are instances of processes with
//! a number.
//!
//! `web::jobs` writes them on the wire, `journal::job` lists jobs.

use super::{instance_outcome::InstanceOutcome, record::Status};

/// The status of a job, or of its workflow. The order is that of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// It waits to continue.
    Pending,
    /// It is in progress.
    Running,
    /// It ended well.
    Done,
    /// It ended with an error, or its time was over.
    Failed,
    /// It ended, but something that had failed was skipped.
    Warning,
    /// Its workflow starts no jobs at present.
    Disabled,
    /// It was terminated or dismissed.
    Stopped,
    /// It ended, and the last approval it had was a rejection.
    Rejected,
}

impl JobStatus {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Warning,
        Self::Disabled,
        Self::Stopped,
        Self::Rejected,
    ];

    /// Its number on the wire and in the store.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The status with this number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.number() == number)
    }

    /// Whether a job with this status has ended.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Disabled)
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Warning => "Warning",
            Self::Disabled => "Disabled",
            Self::Stopped => "Stopped",
            Self::Rejected => "Rejected",
        }
    }

    /// The status of an instance.
    pub fn of(status: Status, outcome: Option<InstanceOutcome>) -> Self {
        match (status, outcome) {
            (Status::Created | Status::OnHold, _) => Self::Pending,
            (Status::Started, _) => Self::Running,
            (Status::Finished, None) => Self::Done,
            (Status::Finished, Some(InstanceOutcome::Skipped)) => Self::Warning,
            (Status::Finished, Some(InstanceOutcome::Rejected)) => Self::Rejected,
            (Status::Failed | Status::Expired, _) => Self::Failed,
            (Status::Terminated | Status::Dismissed, _) => Self::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_statuses_have_the_numbers_and_names_of_the_wire_format() {
        let all = JobStatus::ALL;
        assert_eq!(all.map(JobStatus::number), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            all.map(|status| JobStatus::numbered(status.number())),
            all.map(Some)
        );
        assert_eq!(JobStatus::numbered(8), None);
        assert_eq!(
            all.map(JobStatus::is_end),
            [false, false, true, true, true, false, true, true]
        );
        let names = [
            "Pending", "Running", "Done", "Failed", "Warning", "Disabled", "Stopped", "Rejected",
        ];
        assert_eq!(all.map(JobStatus::name), names);
    }

    #[test]
    fn every_status_of_an_instance_has_one_of_a_job() {
        let of = |outcome| {
            Status::ALL
                .map(|status| JobStatus::of(status, outcome).name())
                .join(" ")
        };
        assert_eq!(
            of(None),
            "Pending Running Pending Done Stopped Stopped Failed Failed"
        );
        assert_eq!(
            of(Some(InstanceOutcome::Skipped)),
            "Pending Running Pending Warning Stopped Stopped Failed Failed"
        );
        assert_eq!(
            of(Some(InstanceOutcome::Rejected)),
            "Pending Running Pending Rejected Stopped Stopped Failed Failed"
        );
    }
}
