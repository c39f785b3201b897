//! The statuses of jobs, and which one an instance has.

use crate::engine::{record::Status, remark::Remark};

/// Where a job stands, or its workflow. The order is that of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// It waits to go on.
    Pending,
    /// It is under way.
    Running,
    /// It ended well.
    Done,
    /// It ended with an error, or its time was over.
    Failed,
    /// It ended, but something that had failed was skipped.
    Warning,
    /// Its workflow starts no jobs at present.
    Disabled,
    /// Somebody ended it.
    Stopped,
    /// It ended, and the last approval it had was a rejection.
    Rejected,
}

impl JobStatus {
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
    pub fn of(status: Status, remark: Option<Remark>) -> Self {
        match (status, remark) {
            (Status::Created | Status::OnHold, _) => Self::Pending,
            (Status::Started, _) => Self::Running,
            (Status::Finished, None) => Self::Done,
            (Status::Finished, Some(Remark::Skipped)) => Self::Warning,
            (Status::Finished, Some(Remark::Rejected)) => Self::Rejected,
            (Status::Failed | Status::Expired, _) => Self::Failed,
            (Status::Terminated | Status::Dismissed, _) => Self::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_stand_in_the_order_of_the_wire() {
        use JobStatus::{Disabled, Done, Failed, Pending, Rejected, Running, Stopped, Warning};
        let all = [Pending, Running, Done, Failed, Warning, Disabled, Stopped, Rejected];
        assert_eq!(all.map(|status| status as u8), [0, 1, 2, 3, 4, 5, 6, 7]);
        let names = ["Pending", "Running", "Done", "Failed", "Warning", "Disabled", "Stopped", "Rejected"];
        assert_eq!(all.map(JobStatus::name), names);
    }

    #[test]
    fn every_status_of_an_instance_has_one_of_a_job() {
        let of = |remark| Status::ALL.map(|status| JobStatus::of(status, remark).name()).join(" ");
        assert_eq!(of(None), "Pending Running Pending Done Stopped Stopped Failed Failed");
        assert_eq!(of(Some(Remark::Skipped)), "Pending Running Pending Warning Stopped Stopped Failed Failed");
        assert_eq!(of(Some(Remark::Rejected)), "Pending Running Pending Rejected Stopped Stopped Failed Failed");
    }
}
