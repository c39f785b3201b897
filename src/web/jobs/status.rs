//! The statuses of jobs, and which one an instance has.

use crate::engine::record::Status;

/// Where a job stands.
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
    /// Somebody ended it.
    Stopped,
}

impl JobStatus {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }
}

impl From<Status> for JobStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Created | Status::OnHold => Self::Pending,
            Status::Started => Self::Running,
            Status::Finished => Self::Done,
            Status::Failed | Status::Expired => Self::Failed,
            Status::Terminated | Status::Dismissed => Self::Stopped,
        }
    }
}
