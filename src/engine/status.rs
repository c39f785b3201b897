//! The statuses of a process instance, and their names.

use serde::{Deserialize, Serialize};

/// Status of a process instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// The first record is written; the start event begins in the same row.
    Created,
    /// Running.
    Started,
    /// On hold: nothing happens until `unhold`.
    OnHold,
    /// Ended normally.
    Finished,
    /// Ended by its user, as a subprocess.
    Dismissed,
    /// Ended by an operator, or together with an instance above it.
    Terminated,
    /// Ended by its expiry.
    Expired,
    /// Ended by an error end event.
    Failed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Started,
        Self::OnHold,
        Self::Finished,
        Self::Dismissed,
        Self::Terminated,
        Self::Expired,
        Self::Failed,
    ];

    /// Whether the instance has not ended.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Created | Self::Started | Self::OnHold)
    }

    /// The status with this wire name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The wire name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::OnHold => "onHold",
            Self::Finished => "finished",
            Self::Dismissed => "dismissed",
            Self::Terminated => "terminated",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}
